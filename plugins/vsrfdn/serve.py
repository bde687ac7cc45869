"""Runs a script and writes its frames to standard output: ``python -m vsrfdn.serve SCRIPT [--probe]``.

The other end is rfdn_video/media/reading/script.py. First comes one line of JSON that describes the clip;
then, for every frame, one line with its duration, and its planes one after another, without gaps,
in the machine's byte order. A line ``{"error": "..."}`` may come at any place and is the last;
else ``{"end": n}`` is. y4m would lose the durations, and NUT the colour.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import vapoursynth as vs  # type: ignore[import-untyped]

from rfdn_video import Color, PixelFormat, RFDNError
from vsrfdn.frames import is_interlaced, pixel_format, plane_order, read_color

__all__ = ["main"]


class _Refused(Exception):
    """The script runs, but its result cannot be enlarged."""


def main(script: Path, *, probe: bool) -> int:
    """Serves one script; gives the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is for the other end, which then stops us
    with _own_stdout() as wire:
        try:
            for part in _parts(_evaluate(script), probe=probe):
                wire.write(part)
        except BrokenPipeError:
            os._exit(1)  # nobody reads any more; what is in the buffer cannot be flushed either
        except BaseException as error:  # SystemExit of the script too
            wire.write(_line(error=_describe(error, script)))
            return 1
    return 0


def _own_stdout() -> BinaryIO:
    """Standard output for the frames alone: what the script prints goes to standard error."""
    wire = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return wire


def _evaluate(script: Path) -> vs.VideoNode:
    """As vspipe does it: in the script's folder, under its module name."""
    script = script.absolute()
    os.chdir(script.parent)
    runpy.run_path(str(script), run_name="__vapoursynth__")
    output = vs.get_outputs().get(0)
    if output is None:
        raise _Refused("it sets no output; end it with clip.set_output()")
    if not isinstance(output, vs.VideoOutputTuple):
        raise _Refused("its output 0 is sound; give a video clip")
    if output.alpha is not None:
        raise _Refused("its output has an alpha channel, which cannot be kept; give clip.set_output()")
    return output.clip


def _parts(clip: vs.VideoNode, *, probe: bool) -> Iterator[bytes | memoryview]:
    if clip.format.id == vs.NONE or not clip.width or not clip.height:
        raise _Refused("its clip changes its format or size; give a clip of constant format and size")
    layout = pixel_format(clip.format)
    if layout is None:
        raise _Refused(
            f"its clip is {clip.format.name}; integers of 8 to 16 bit are allowed, "
            "for example core.resize.Bicubic(clip, format=vs.YUV420P10, matrix_s='709')"
        )
    first = clip.get_frame(0)
    color = read_color(first, layout)
    _check(first, 0, layout, color)
    yield _line(
        width=clip.width,
        height=clip.height,
        frames=clip.num_frames,
        rate=[clip.fps.numerator, clip.fps.denominator] if clip.fps else None,
        duration=_duration(first),
        shape=[int(first.props.get("_SARNum", 0)), int(first.props.get("_SARDen", 0))],
        tagged_matrix=int(first.props.get("_Matrix", 2)),
        format=asdict(layout),
        color=asdict(color),
    )
    if probe:
        return
    for number, frame in enumerate(_frames(clip)):
        _check(frame, number, layout, color)
        yield _line(duration=_duration(frame))
        for plane in plane_order(layout):
            yield np.ascontiguousarray(frame[plane]).data.cast("B")
    yield _line(end=clip.num_frames)


def _check(frame: vs.VideoFrame, number: int, layout: PixelFormat, color: Color) -> None:
    """Properties may change from frame to frame; the result has one set for all of it."""
    if is_interlaced(frame):
        raise _Refused(f"frame {number} is interlaced, enlarging would tear it; deinterlace it in the script")
    if read_color(frame, layout) != color:
        raise _Refused(f"frame {number} has other colour properties than the first; convert it in the script")


def _frames(clip: vs.VideoNode) -> Iterator[vs.VideoFrame]:
    frames = clip.frames(close=True)
    for n in range(clip.num_frames):
        try:
            yield next(frames)
        except vs.Error as error:  # of a filter in Python it is a whole traceback, the cause comes last
            raise _Refused(f"frame {n}: {str(error).strip().splitlines()[-1]}") from None


def _duration(frame: vs.VideoFrame) -> list[int] | None:
    """In seconds, as a fraction; None where the frame does not say."""
    numerator, denominator = (int(frame.props.get(name, 0)) for name in ("_DurationNum", "_DurationDen"))
    return [numerator, denominator] if numerator > 0 and denominator > 0 else None


def _line(**values: Any) -> bytes:
    return json.dumps(values).encode() + b"\n"


def _describe(error: BaseException, script: Path) -> str:
    """One line: where in the script, and what."""
    if isinstance(error, _Refused | RFDNError):
        return str(error)
    text = " ".join(traceback.format_exception_only(error)[-1].split())
    number = error.lineno if isinstance(error, SyntaxError) else None
    for frame in traceback.extract_tb(error.__traceback__):
        if Path(frame.filename) == script.absolute():
            number = frame.lineno
    return f"line {number}: {text}" if number else text


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), probe="--probe" in sys.argv[2:]))
