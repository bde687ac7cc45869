"""The parts of a job, each alone, and all of it; they are the ones that a job uses."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from rfdn_video.bench.choices import threads_of_torch
from rfdn_video.bench.rounds import Run, repeated
from rfdn_video.frame import Frame
from rfdn_video.inference.colorspace import PlanesToRGB, RGBToPlanes
from rfdn_video.inference.upscaler import Upscaler
from rfdn_video.media.muxing.mux import Output
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.pipeline import Job, run
from rfdn_video.summary import Summary

__all__ = ["decoded", "enlarged_frames", "network_alone", "stages_alone", "whole"]


def decoded(job: Job, count: int) -> list[Frame]:
    """The first ``count`` frames, or as many as there are."""
    files = job.files
    with Decoder(files.info, replace(files.wanted, frames=count), salvage=True) as decoder:
        return list(decoder)


def enlarged_frames(job: Job, frames: Sequence[Frame]) -> list[Frame]:
    """What the job's network makes of frames."""
    pixels, color = job.files.target.layout, job.files.layout.color
    return list(job.upscaler.stream(frames, pixel_format=pixels, color=color, dither=job.files.dither))


def network_alone(upscaler: Upscaler, threads: int | None, picture: Tensor) -> Run:
    """The bare network: RGB [3, H, W] on the device in, the same enlarged out; as many at once as in a job.

    Args:
        upscaler: has the network.
        threads: of torch; None is what a job takes.
        picture: RGB.
    """
    image, count = picture.to(upscaler.device), upscaler.at_once
    if count > 1:
        threads = 1

    def enlarge() -> None:
        with threads_of_torch(threads):
            upscaler(image).mean().item()  # .item() waits for the device

    def enlarge_all() -> None:
        with ThreadPoolExecutor(count) as pool:
            for done in [pool.submit(enlarge) for _ in range(count)]:
                done.result()

    alone = repeated(enlarge if count == 1 else enlarge_all)
    return lambda: count * alone()


def stages_alone(job: Job, frames: Sequence[Frame], enlarged: Sequence[Frame]) -> dict[str, Run]:
    """Decoding, colour and encoding.

    Args:
        job: to take the parts of.
        frames: its first ones.
        enlarged: what becomes of them.
    """
    to_rgb, from_rgb = _colour(job, frames[0])
    return {
        "decode": lambda: _rate(len(frames), lambda: decoded(job, len(frames))),
        "colour in": to_rgb,
        "colour out": from_rgb,
        "encode": lambda: _rate(len(enlarged), lambda: _encode(job, enlarged)),
    }


def whole(job: Job, count: int, note: Callable[[Summary], None]) -> Run:
    """The job on its first ``count`` frames, into a temporary file: decode, enlarge, encode, check.

    Args:
        job: a ready one; its network has computed pictures of this size before.
        count: of frames.
        note: takes the summary.
    """

    def do() -> float:
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / f"out.{job.files.target.container.name}"
            files = replace(job.files, output=output, wanted=replace(job.files.wanted, frames=count))
            summary = run(replace(job, files=files), lambda _: None)
        note(summary)
        return summary.frames / summary.seconds

    return do


def _rate(count: int, work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return count / (time.perf_counter() - begin)


def _colour(job: Job, frame: Frame) -> tuple[Run, Run]:
    upscaler, target, layout = job.upscaler, job.files.target, job.files.layout
    # As in a job: where another engine has the cores, torch has one thread.
    threads = None if upscaler.engine == "torch" else 1
    planes = [torch.from_numpy(plane.copy()).to(upscaler.device) for plane in frame.planes]
    to_rgb = PlanesToRGB(frame.format, frame.color, frame.width, frame.height, upscaler.device)
    to_planes = RGBToPlanes(target.layout, layout.color, layout.width, layout.height, upscaler.device, job.files.dither)
    picture = torch.rand(1, 3, layout.height, layout.width, device=upscaler.device)

    def limited(work: Callable[[], Tensor]) -> Run:
        measured = repeated(lambda: work().flatten()[0].item())

        def run_limited() -> float:
            with threads_of_torch(threads), torch.inference_mode():
                return measured()

        return run_limited

    return limited(lambda: to_rgb(planes)), limited(lambda: to_planes(picture)[-1])


def _encode(job: Job, frames: Sequence[Frame]) -> None:
    """Into a file without other streams."""
    files = job.files
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"out.{files.target.container.name}"
        output = Output(str(path), files.target, files.layout, files.info, (), files.wanted)
        try:
            for frame in frames:
                output.write(frame)
        except BaseException:
            output.abort()
            raise
        output.close()
