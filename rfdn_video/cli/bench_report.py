"""What ``rfdn-video bench`` found, as JSON and as text."""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rfdn_video.bench.choices import Choice
from rfdn_video.bench.measure import NETWORK, WHOLE, Report
from rfdn_video.bench.rounds import Speed
from rfdn_video.pipeline import Job

__all__ = ["as_record", "as_text"]

PACKAGES = ("rfdn-video", "torch", "openvino", "av", "numpy")


def as_record(job: Job, report: Report, source: Path | None, command: list[str]) -> dict[str, Any]:
    """Everything, as one JSON object."""
    video, layout, weights = job.files.info.video, job.files.layout, job.upscaler.weights
    base = next(iter(report.networks))
    bound = report.summary.bound_by
    return {
        "machine": _machine(job),
        "versions": {"python": platform.python_version()} | dict(_versions()),
        "clip": {
            "input": None if source is None else str(source),
            "width": video.width,
            "height": video.height,
            "pix_fmt": video.pix_fmt,
            "result": [layout.width, layout.height],
            "encoder": job.files.target.encoder,
            "network": f"{weights.network} x{weights.scale}",
            "frames": report.frames,
        },
        "base": _choice(base),
        "stages": {name: _speed(speed) for name, speed in report.stages.items()},
        "whole_to_network": _ratio(report.stages[WHOLE], report.stages[NETWORK]),
        "bound_by": {"stage": bound.name, "busy": round(bound.worked / report.summary.seconds, 3)},
        "networks": [
            _choice(choice) | _speed(speed) | {"to_base": _ratio(speed, report.networks[base])}
            for choice, speed in report.networks.items()
        ],
        "left_out": [_choice(choice) | {"why": why} for choice, why in report.left_out.items()],
        "suggested": _suggested(report, command),
        "seconds": round(report.seconds, 1),
    }


def as_text(record: dict[str, Any]) -> str:
    """The same for people."""
    clip, suggested = record["clip"], record["suggested"]
    lines = [
        f"machine   {record['machine']}",
        "versions  " + ", ".join(f"{name} {number}" for name, number in record["versions"].items()),
        f"clip      {clip['input'] or 'made for this'}: {clip['width']}x{clip['height']} {clip['pix_fmt']} to "
        f"{clip['result'][0]}x{clip['result'][1]}, {clip['encoder']}, {clip['network']}; {clip['frames']} frames",
        "",
        f"each stage alone, and the whole, with {record['base']['name']}",
        *(f"  {name:<36} {_row(speed)}" for name, speed in record["stages"].items()),
        f"  the whole has {record['whole_to_network']:.2f} of the network's speed; bound by: "
        f"{record['bound_by']['stage']} {100 * record['bound_by']['busy']:.0f} % busy",
        "",
        "the network alone, by settings",
        *(f"  {one['name']:<36} {_row(one)}   {one['to_base']:.2f} x" for one in record["networks"]),
        *(f"  {one['name']:<36} not measured: {one['why']}" for one in record["left_out"]),
        "",
        "suggested",
        f"  {suggested['command']}",
        *(f"    {line}" for line in _why(suggested)),
        f"measured in {record['seconds']:.0f} s; all in turn, medians",
    ]
    return "\n".join(lines)


def _why(suggested: dict[str, Any]) -> Iterator[str]:
    for reason in suggested["reasons"]:
        yield f"{reason['choice']} has {reason['ratio']:.2f} x the network speed of {reason['against']}"
    if not suggested["certain"]:
        yield "every contestant had one run only, which proves nothing; give it more --seconds, or compare less"
    elif suggested["whole"] is None:
        yield "nothing that was compared is faster than this by more than the spread"
    else:
        yield f"the whole has {suggested['whole']['to_default']:.2f} x the speed that it has without"
    for other in suggested["other_precisions"]:
        yield (
            f"--precision {other['precision']} ({other['name']}): {other['ratio']:.2f} x the network speed, "
            f"values differ by up to {other['code_values']:.2g} of 255"
        )


def _row(speed: dict[str, Any]) -> str:
    spread = f"{speed['runs']} runs, spread {100 * speed['spread']:3.0f} %" if speed["runs"] > 1 else "one run"
    return f"{speed['fps']:10.2f} frames/s   {spread:<20}"


def _suggested(report: Report, command: list[str]) -> dict[str, Any]:
    speed, ratio = report.suggested or (None, None)
    return {
        "certain": all(speed.certain for speed in report.networks.values()),
        "command": " ".join(word if word.startswith("OMP_") else shlex.quote(word) for word in command),
        "reasons": [
            {"choice": str(reason.choice), "against": str(reason.against), "ratio": round(reason.ratio, 3)}
            for reason in report.advice.reasons
        ],
        "whole": None if speed is None or ratio is None else _speed(speed) | {"to_default": round(ratio, 3)},
        "other_precisions": [
            _choice(reason.choice) | {"ratio": round(reason.ratio, 3), "code_values": round(deviation, 4)}
            for reason, deviation in report.other_precisions
        ],
    }


def _choice(choice: Choice) -> dict[str, Any]:
    return {"name": str(choice)} | vars(choice)


def _speed(speed: Speed) -> dict[str, Any]:
    return {"fps": round(speed.median, 4), "spread": round(speed.spread, 3), "runs": len(speed.runs)}


def _ratio(one: Speed, other: Speed) -> float:
    return round(one.median / other.median, 3)


def _machine(job: Job) -> str:
    import torch

    device = job.upscaler.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}; device {name}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _versions() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue
