"""The process that runs a VapourSynth script. A script is code, and filters may crash: neither is let into ours.

The other end is plugins/vsrfdn/serve.py, which says how it answers.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rfdn_video.errors import InputError, UsageError

__all__ = ["ScriptServer"]


class ScriptServer:
    """Runs one script.

    Attributes:
        header: what it said of its clip.

    Raises:
        UsageError: VapourSynth is not installed.
        InputError: the script fails, or its clip cannot be enlarged.
    """

    def __init__(self, script: Path, *options: str) -> None:
        self._script = script
        if find_spec("vapoursynth") is None or find_spec("vsrfdn") is None:
            raise UsageError(f"{script}: scripts need VapourSynth; pip install 'rfdn-video[vapoursynth]'")
        command = [sys.executable, "-P", "-m", "vsrfdn.serve", str(script.absolute()), *options]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)  # noqa: S603
        assert self._process.stdout is not None
        self._pipe = self._process.stdout
        try:
            self.header = self.read_line()
        except BaseException:
            self.close()
            raise

    def read_line(self) -> dict[str, Any]:
        """The next line of JSON.

        Raises:
            InputError: the script has failed, or its process has ended.
        """
        line = self._pipe.readline()
        if not line.endswith(b"\n"):
            raise self._ended()
        values: dict[str, Any] = json.loads(line)
        if "error" in values:
            raise InputError(f"{self._script}: {values['error']}")
        return values

    def read_plane(self, size: tuple[int, int], dtype: type[np.uint8 | np.uint16]) -> NDArray[np.uint8 | np.uint16]:
        """The next plane, [height, width].

        Raises:
            InputError: the process has ended.
        """
        plane: NDArray[np.uint8 | np.uint16] = np.empty(size, dtype)
        if self._pipe.readinto(plane.data.cast("B")) != plane.nbytes:  # type: ignore[attr-defined]
            raise self._ended()
        return plane

    def terminate(self) -> None:
        """Ends the process; who reads from it finds that it has ended."""
        self._process.terminate()

    def close(self) -> None:
        """Ends the process and waits until it has."""
        self.terminate()
        self._process.wait()
        self._pipe.close()

    def _ended(self) -> InputError:
        code = self._process.wait()
        why = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return InputError(f"{self._script}: its process ended ({why}) before all frames were there")
