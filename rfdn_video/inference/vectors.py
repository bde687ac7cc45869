"""How wide the vectors are that oneDNN computes with, which torch and OpenVINO both use on a CPU.

AMD's Zen 4 does 512-bit arithmetic in two halves: no more of it in a cycle than of 256-bit arithmetic
("Software Optimization Guide for the AMD Zen4 Microarchitecture", publication 57647, section 2.11). But
oneDNN pads channels to whole vectors, and E-RFDN's 50 become 64 in AVX-512 and only 56 in AVX2. See
docs/performance.md for what that is worth.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable
from pathlib import Path

__all__ = ["VARIABLE", "arithmetic_bits", "halves_wide_vectors", "suit_vectors"]

VARIABLE = "ONEDNN_MAX_CPU_ISA"
"""oneDNN reads it once in a process, when it is first used."""

_NARROW = "AVX2"
_ZEN_3_AND_4 = 25  # Zen 3 has no wider vectors than AVX2
_CPUINFO = Path("/proc/cpuinfo")


def suit_vectors(precisions: Iterable[str]) -> bool:
    """Limits oneDNN to the vectors that suit this CPU, for the whole process: for one whose work is to enlarge.

    That is the command's, and one that runs a script with the VapourSynth filter.

    Args:
        precisions: names of the number formats that the process will compute in. bfloat16 needs AVX-512.

    Returns:
        Whether it is limited. Where the user has set :data:`VARIABLE`, nothing is done.
    """
    if VARIABLE in os.environ or not set(precisions) <= {"auto", "fp32"} or not halves_wide_vectors(_processor()):
        return False
    os.environ[VARIABLE] = _NARROW
    return True


def arithmetic_bits() -> int | None:
    """Of the vectors that this CPU computes at a time: 256, also where it has wider ones but halves them, or 512.

    None for other kinds of CPU.
    """
    import torch  # whoever calls suit_vectors may do without

    bits = {"AVX2": 256, "AVX512": 512}.get(torch.backends.cpu.get_cpu_capability())
    return 256 if bits == 512 and halves_wide_vectors(_processor()) else bits


def halves_wide_vectors(processor: str) -> bool:
    """Whether a CPU has 256-bit arithmetic units.

    Args:
        processor: its description, as Linux has it in ``/proc/cpuinfo``, or Windows as ``AMD64 Family 25 Model 17
            Stepping 1, AuthenticAMD``.
    """
    family = re.search(r"family[\s:]+(\d+)", processor, re.IGNORECASE)
    return "AuthenticAMD" in processor and family is not None and int(family[1]) == _ZEN_3_AND_4


def _processor() -> str:
    try:
        return _CPUINFO.read_text().partition("\n\n")[0]  # the first of all cores
    except OSError:
        return platform.processor()
