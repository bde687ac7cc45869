"""Which vectors oneDNN is told to use, and that it does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from rfdn_video.inference import vectors
from rfdn_video.inference.vectors import VARIABLE, arithmetic_bits, halves_wide_vectors, suit_vectors

LINUX = "processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: 17\nmodel name\t: some\n"
ZEN_4 = LINUX.format(vendor="AuthenticAMD", family=25)


@pytest.mark.parametrize(
    ("processor", "halves"),
    [
        (ZEN_4, True),
        ("AMD64 Family 25 Model 97 Stepping 2, AuthenticAMD", True),
        (LINUX.format(vendor="AuthenticAMD", family=26), False),  # Zen 5 has 512-bit units
        (LINUX.format(vendor="GenuineIntel", family=6), False),
        ("Intel64 Family 6 Model 143 Stepping 8, GenuineIntel", False),
        ("arm", False),
        ("", False),
    ],
)
def test_cpus_with_halved_vectors_are_known(processor: str, halves: bool) -> None:
    assert halves_wide_vectors(processor) is halves


@pytest.mark.parametrize(
    ("capability", "processor", "bits"),
    [
        ("AVX2", LINUX.format(vendor="AuthenticAMD", family=25), 256),
        ("AVX512", ZEN_4, 256),
        ("AVX512", LINUX.format(vendor="AuthenticAMD", family=26), 512),
        ("DEFAULT", "arm", None),
    ],
)
def test_bits_of_arithmetic(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capability: str, processor: str, bits: int | None
) -> None:
    (tmp_path / "cpuinfo").write_text(processor)
    monkeypatch.setattr(vectors, "_CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert arithmetic_bits() == bits


@pytest.mark.parametrize(
    ("processor", "precisions", "limited"),
    [
        (ZEN_4, ["auto"], True),
        (ZEN_4, ["fp32", "auto"], True),
        (ZEN_4, ["fp32", "bf16"], False),
        (LINUX.format(vendor="GenuineIntel", family=6), ["fp32"], False),
    ],
)
def test_only_float32_on_such_a_cpu_is_limited(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, processor: str, precisions: list[str], limited: bool
) -> None:
    (tmp_path / "cpuinfo").write_text(f"{processor}\n{processor}")
    monkeypatch.setattr(vectors, "_CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.delenv(VARIABLE)
    assert suit_vectors(precisions) is limited
    assert os.environ.get(VARIABLE) == ("AVX2" if limited else None)


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(ZEN_4)
    monkeypatch.setattr(vectors, "_CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setenv(VARIABLE, "AVX512_CORE")
    assert suit_vectors(["fp32"]) is False
    assert os.environ[VARIABLE] == "AVX512_CORE"


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_job_sets_it_before_onednn_looks(ffmpeg: Callable[..., bytes], tmp_path: Path, precision: str) -> None:
    """oneDNN itself says which instructions it takes."""
    processor = Path("/proc/cpuinfo")
    if not processor.exists() or not halves_wide_vectors(processor.read_text()):
        pytest.skip("this CPU's wide vectors are not known to be halved")
    if precision == "bf16" and "avx512" not in processor.read_text():
        pytest.skip("this CPU has no vectors wider than AVX2, which oneDNN needs for bfloat16")
    clip = tmp_path / "clip.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:rate=5:duration=0.2", clip)
    command = [sys.executable, "-m", "rfdn_video", clip, "-o", tmp_path / "out.mkv", "-s", "2"]
    command += ["--engine", "torch", "--device", "cpu", "--precision", precision]
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE} | {"ONEDNN_VERBOSE": "1"}
    told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert re.search(r"cpu,isa:(.*)", told)[1].endswith("AVX2") is (precision == "fp32")  # type: ignore[index]
