"""``rfdn-video doctor``: what is installed, what works, what is missing."""

from __future__ import annotations

import argparse
import json
import platform
import re
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from rfdn_video.cli.terminal import print_table

__all__ = ["add_arguments", "execute"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.add_argument("-v", "--verbose", action="store_true", help="tracebacks")


def execute(args: argparse.Namespace) -> int:
    """Prints the report. 0 where everything needed works, 5 where bundled weights are damaged."""
    report: dict[str, dict[str, str]] = {
        "versions": _versions(),
        "devices": _devices(),
        "encoders": _encoders(),
        "weights": _weights(),
    }
    if args.json:
        print(json.dumps(report))
    else:
        for title, rows in report.items():
            print_table([title, ""], list(rows.items()), words=2)
    return 5 if any(value.startswith("damaged") for value in report["weights"].values()) else 0


def _versions() -> dict[str, str]:
    import av
    import torch

    from rfdn_video import __version__

    found: dict[str, str] = {"rfdn-video": __version__, "python": f"{platform.python_version()}, {platform.platform()}"}
    for package, optional in _requirements().items():
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed (optional)" if optional else "missing"
    found["torch"] += f", {'built for CUDA ' + torch.version.cuda if torch.version.cuda else 'built without CUDA'}"
    found["av"] += ", libavcodec " + ".".join(str(part) for part in av.library_versions["libavcodec"])
    found["system ffmpeg"] = _system_ffmpeg()
    return found


def _requirements() -> dict[str, bool]:
    """Names of all packages that it uses, and whether only extras bring them; those that it cannot do without first."""
    try:
        lines = requires("rfdn-video") or []
    except PackageNotFoundError:  # run out of a folder
        lines = []
    found = {"torch": False, "av": False}  # of these, more is told
    for line in lines:
        name = re.split(r"[^\w.-]", line, maxsplit=1)[0]
        found[name] = found.get(name, True) and "extra ==" in line
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _system_ffmpeg() -> str:
    program = shutil.which("ffmpeg")
    if program is None:
        return "not found (optional)"
    output = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    return output.partition(" Copyright")[0] or "does not run"


def _devices() -> dict[str, str]:
    import torch

    from rfdn_video.inference.device import resolve_device, resolve_precision

    found = {"cpu": f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"}
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(index)
            found[f"cuda:{index}"] = f"{properties.name}, {properties.total_memory / 2**30:.1f} GiB"
    else:
        found["cuda"] = "none"
    for kind, present in (("mps", torch.backends.mps.is_available()), ("xpu", torch.xpu.is_available())):
        if present:
            found[kind] = "present"
    chosen = resolve_device("auto")
    found["--device auto takes"] = f"{chosen}, {str(resolve_precision('auto', chosen)).removeprefix('torch.')}"
    return found


def _encoders() -> dict[str, str]:
    from rfdn_video.media.encoding.builds import LibavBuild
    from rfdn_video.media.encoding.encoders import ENCODERS

    build = LibavBuild()
    return {
        name: ("absent" if not build.has_encoder(name) else "present" if traits.software else _try_encoder(name))
        for name, traits in ENCODERS.items()
    }


def _try_encoder(name: str) -> str:
    """Hardware encoders are built in everywhere and work where their hardware is."""
    import av

    from rfdn_video.media.timing import exact

    try:
        context: Any = av.CodecContext.create(name, "w")
        context.width, context.height, context.pix_fmt = 256, 256, "nv12"
        context.time_base = exact(None) + 1
        context.open()
    except (av.FFmpegError, ValueError, OSError):
        return "no hardware for it"
    return "works"


def _weights() -> dict[str, str]:
    from rfdn_video.errors import ModelError
    from rfdn_video.models.catalog import BUNDLED
    from rfdn_video.models.weights import load_weights

    found = {}
    for bundled in BUNDLED:
        try:
            load_weights(bundled.path, sha256=bundled.sha256)
            state = f"ok, SHA-256 {bundled.sha256[:12]}"
        except ModelError as error:
            state = f"damaged: {error}"
        found[f"{bundled.network} x{bundled.scale} {bundled.tune}"] = state
    return found
