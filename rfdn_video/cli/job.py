"""One input of the main job: its plan, its progress, its summary, as text or JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from enum import IntEnum
from pathlib import Path
from typing import Any, TextIO

import av
from av.video.reformatter import ColorPrimaries, ColorTrc

from rfdn_video.cli.console import counted, duration, say, warn
from rfdn_video.cli.progress import progress
from rfdn_video.cli.stall import watched
from rfdn_video.errors import RFDNError
from rfdn_video.inference.vectors import suit_vectors
from rfdn_video.media.reading.source import check_is_file
from rfdn_video.notes import plan_notes
from rfdn_video.pipeline import Job, check_range, prepare, run
from rfdn_video.plan import FilePlan, plan_files
from rfdn_video.settings import Settings
from rfdn_video.stages import StageTime
from rfdn_video.suffixes import STILL_SUFFIXES
from rfdn_video.summary import Summary

__all__ = ["planned_output", "result_stream", "run_input"]


def run_input(source: Path, args: argparse.Namespace, settings: Settings) -> None:
    """Plans one input and, unless it is a dry run, does it."""
    av.logging.set_level(av.logging.WARNING if args.verbose else None)
    suit_vectors([settings.precision])
    check_is_file(source)
    if source.suffix.lower() in STILL_SUFFIXES:
        _run_still(source, args, settings)
        return
    if args.ray is not None and not args.dry_run:
        _run_on_ray(source, args, settings)
        return
    job = prepare(source, args.output, settings)
    if args.dry_run:
        check_range(job.files)
        _print_plan(job, args)
        return
    _warn_of_room(job.files)
    with (
        progress(args.progress, source.name, job.files.expected_frames) as on_frame,
        watched(job, args.stall_timeout) as beat,
    ):
        summary = run(job, on_frame, beat, on_reused=on_frame.reused)
    _print_summary(source, summary, args)


def _run_on_ray(source: Path, args: argparse.Namespace, settings: Settings) -> None:
    from rfdn_video.cluster.connect import connect, shortage
    from rfdn_video.cluster.film import plan_on_cluster

    files = plan_on_cluster(source, args.output, settings)
    connect(args.ray)
    from rfdn_video.cluster.ray_job import run_on_ray

    _warn_of_room(files)
    if (missing := shortage(settings.device)) is not None:
        warn(missing)
    with progress(args.progress, source.name, files.expected_frames) as on_frame:
        summary = run_on_ray(files, settings, args.stall_timeout, on_frame, on_frame.reused)
    _print_summary(source, summary, args)


def _warn_of_room(files: FilePlan) -> None:
    if files.room:
        warn(f"{files.info.path.name}: {files.room}")


def planned_output(source: Path, args: argparse.Namespace, settings: Settings) -> Path | None:
    """Where the result of an input would go; None for standard output, and for an input that cannot be done."""
    try:
        if source.suffix.lower() in STILL_SUFFIXES:
            from rfdn_video.stills import plan_still

            return plan_still(source, args.output, settings).output.resolve()
        output = plan_files(source, args.output, settings).output
    except RFDNError:
        return None
    return None if output is None else output.resolve()


def _run_still(source: Path, args: argparse.Namespace, settings: Settings) -> None:
    from rfdn_video.stills import plan_still, upscale_still

    plan = plan_still(source, args.output, settings)
    text = f"{plan.output}: {plan.target[0]}x{plan.target[1]}, from {plan.size[0]}x{plan.size[1]}, --tune {plan.tune}"
    record = {"input": str(source), "output": str(plan.output), "width": plan.target[0], "height": plan.target[1]}
    if not args.dry_run:
        upscale_still(plan, settings)
    _emit(record, [("would write " if args.dry_run else "wrote ") + text], args)


def _print_plan(job: Job, args: argparse.Namespace) -> None:
    plan = _plan(job)
    lines = [
        f"{key:<10} {value}"
        for key, values in plan.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    _emit(plan, lines, args)


def _plan(job: Job) -> dict[str, Any]:
    files, video, layout = job.files, job.files.info.video, job.files.layout
    color, weights = video.color, job.upscaler.weights
    frames = files.expected_frames
    seconds = job.upscaler.estimate_seconds(job.scale)
    quantiser = "" if video.qp is None else f", QP {video.qp:.1f}"
    span = (
        f"{duration(seconds * frames)} for about {counted(frames, 'frame')}"
        if frames
        else "the number of frames is not known"
    )
    return {
        "input": f"{files.info.path}: {files.info.container}, "
        f"{video.codec} {video.width}x{video.height} {video.pix_fmt}{quantiser}",
        "output": f"{files.output or 'standard output'}: {files.target.container.name}, {files.target.encoder} "
        f"{layout.width}x{layout.height} {files.target.pix_fmt} {_options(files.target.options)}".rstrip(),
        "colour": f"{color.matrix.name}, {'full' if color.full_range else 'limited'} range, "
        f"chroma {color.chroma_location.name.lower()}, primaries {_name(ColorPrimaries, color.primaries)}, "
        f"transfer {_name(ColorTrc, color.transfer)}",
        "network": f"{weights.network} x{weights.scale}, --tune {files.tune} "
        f"({weights.path.name}, SHA-256 {weights.sha256[:12]})",
        "device": f"{job.upscaler.device}, {str(job.upscaler.precision).removeprefix('torch.')}, "
        f"engine {job.upscaler.engine}",
        "tile": str(job.tiling),
        "reuse": job.upscaler.reuse,
        "carried": [str(stream) for stream in files.carried],
        "dropped": list(files.dropped),
        "note": plan_notes(files, job.scale, half=job.upscaler.precision.itemsize < 4),
        "estimate": f"{seconds:.2f} s a frame, measured on a small picture; {span}",
    }


def _name(names: type[IntEnum], code_point: int) -> str:
    """Of a code point of ITU-T H.273, where FFmpeg has one: 2 is "unspecified"."""
    return names(code_point).name.lower() if code_point in names else str(code_point)


def _options(options: dict[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in options.items())


def _print_summary(source: Path, summary: Summary, args: argparse.Namespace) -> None:
    decoding = summary.decoding
    record = {
        "input": str(source),
        "output": None if summary.output is None else str(summary.output),
        "frames": summary.frames,
        "frames_reused": summary.frames_reused,
        "width": summary.width,
        "height": summary.height,
        "seconds": round(summary.seconds, 3),
        "fps": round(summary.fps, 3),
        "verified": summary.verified,
        "recomputed_frames": summary.recomputed_frames,
        "tile": summary.tiling,
        "bands": summary.bands,
        "retries": summary.retries,
        "reuse": summary.reuse,
        "repeated_frames": summary.repeated_frames,
        "copied_share": round(summary.copied_share, 4),
        "missing_bytes": summary.missing_bytes,
        "damaged_packets": decoding.damaged_packets,
        "cut_packets": decoding.cut_packets,
        "corrupt_frames": decoding.corrupt_frames,
        "resized_frames": decoding.resized_frames,
        "reshaped_frames": decoding.reshaped_frames,
        "converted_frames": decoding.converted_frames,
        "interlaced_frames": decoding.interlaced_frames,
        "transparent_frames": decoding.transparent_frames,
        "repaired_timestamps": decoding.repaired_timestamps,
        "clock_jumps": decoding.clock_jumps,
        "repaired_packets": summary.repaired_packets,
        "dropped": list(summary.dropped),
        "bound_by": summary.bound_by.name,
        "stages": {stage.name: _stage_record(stage, summary.seconds) for stage in summary.stages},
    }
    for warning in summary.warnings:
        warn(f"{source.name}: {warning}")
    copied = f"{summary.copied_share:.0%} of all rows copied, " if summary.copied_share >= 0.005 else ""
    text = (
        f"wrote {summary.output or 'standard output'}: {counted(summary.frames, 'frame')}{_reused(summary)}, "
        f"{summary.width}x{summary.height}, "
        f"{summary.fps:.2f} frames/s, {copied}"
        f"{'checked' if summary.verified else 'not checked (a pipe)'}"
        f"; bound by: {summary.bound_by.name} {100 * summary.bound_by.worked / summary.seconds:.0f} % busy"
    )
    _emit(record, [text], args)


def _stage_record(stage: StageTime, seconds: float) -> dict[str, float]:
    times = {key: round(value, 3) for key, value in asdict(stage).items() if key != "name"}
    return {"busy": round(stage.worked / seconds, 3)} | times


def _reused(summary: Summary) -> str:
    return f" ({summary.frames_reused} of them from before)" if summary.frames_reused else ""


def _emit(record: dict[str, Any], lines: Sequence[str], args: argparse.Namespace) -> None:
    say(*([json.dumps(record, default=str)] if args.json else lines), file=result_stream(args))


def result_stream(args: argparse.Namespace) -> TextIO:
    """Results go to standard output, unless the video itself does."""
    return sys.stderr if args.output == "-" else sys.stdout
