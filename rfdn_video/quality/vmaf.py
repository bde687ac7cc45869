"""VMAF, asked from the ffmpeg program on the PATH where that has libvmaf.

Pairs of Y go to it in one stream, the output above the reference: what belongs together cannot come apart.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import IO

import numpy as np
import torch
from torch import Tensor

from rfdn_video.errors import DeviceError, UsageError
from rfdn_video.quality.space import Space

__all__ = ["VMAF", "read_log"]

LOG = "vmaf.json"
GRAPH = (
    "split[a][b];[a]crop=iw:ih/2:0:0[output];[b]crop=iw:ih/2:0:ih/2[reference];"
    f"[output][reference]libvmaf=log_fmt=json:log_path={LOG}"
)


class VMAF:
    """Gathers VMAF (the program's default model) of one output; use it in a ``with`` block.

    Raises:
        UsageError: no ffmpeg program with libvmaf.
    """

    def __init__(self, space: Space) -> None:
        self._program = _find_program()
        self._depth = 8 if space.layout.depth == 8 else 10
        self._scale = 2.0 ** (self._depth - space.layout.depth)
        samples = np.uint8 if self._depth == 8 else np.uint16
        size = 2 * space.height, space.width
        # Chroma does not enter VMAF; 4:4:4 lets pictures of any height be put on top of each other.
        self._chroma = np.full((2, *size), 128 << (self._depth - 8), samples).tobytes()
        self._dtype = samples
        self._size = f"{size[1]}x{size[0]}"
        self._count = 0

    def __enter__(self) -> VMAF:
        self._folder = TemporaryDirectory(prefix="rfdn-video-")
        pix_fmt = "yuv444p" if self._depth == 8 else "yuv444p10le"
        source = ["-f", "rawvideo", "-pix_fmt", pix_fmt, "-s", self._size, "-i", "pipe:0"]
        command = [self._program, "-v", "error", "-nostdin", *source, "-lavfi", GRAPH, "-f", "null", "-"]
        try:
            self._process = subprocess.Popen(  # noqa: S603 (no shell)
                command, cwd=self._folder.name, stdin=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except BaseException:
            self._folder.cleanup()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    @property
    def _pipe(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    def add(self, reference: Tensor, output: Tensor) -> None:
        """Takes Y of the next pair, [height, width] code values each.

        Raises:
            DeviceError: the program has ended.
        """
        both = torch.cat((output, reference)) * self._scale
        codes = both.round().clamp(0, (1 << self._depth) - 1).numpy().astype(self._dtype)
        try:
            self._pipe.write(codes.tobytes())
            self._pipe.write(self._chroma)
        except OSError:
            raise self._failure() from None
        self._count += 1

    def finish(self) -> list[float]:
        """VMAF of each pair.

        Raises:
            DeviceError: the program has failed.
        """
        _, errors = self._process.communicate()
        path = Path(self._folder.name) / LOG
        if self._process.returncode or not path.is_file():
            raise self._failure(errors)
        values = read_log(path.read_text())
        if len(values) != self._count:
            raise DeviceError(f"{self._program}: gave VMAF of {len(values)} of {self._count} frames; leave out --vmaf")
        return values

    def _failure(self, errors: bytes = b"") -> DeviceError:
        text = (errors or self._process.communicate()[1]).decode(errors="replace").strip()
        return DeviceError(f"{self._program} failed at VMAF ({text or 'it does not say why'}); leave out --vmaf")


def read_log(text: str) -> list[float]:
    """VMAF of each frame out of a JSON log of libvmaf (version 1 to 3)."""
    return [float(frame["metrics"]["vmaf"]) for frame in json.loads(text)["frames"]]


def _find_program() -> str:
    program = shutil.which("ffmpeg")
    remedy = "install a build with it (ffmpeg -filters lists libvmaf), or leave out --vmaf"
    if program is None:
        raise UsageError(f"--vmaf: needs an ffmpeg program with libvmaf on the PATH, there is none; {remedy}")
    filters = subprocess.run([program, "-hide_banner", "-filters"], capture_output=True, text=True, check=False)  # noqa: S603
    if " libvmaf " not in filters.stdout:
        raise UsageError(f"--vmaf: {program} was built without libvmaf; {remedy}")
    return program
