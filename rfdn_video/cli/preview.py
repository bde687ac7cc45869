"""``rfdn-video preview``: a page that shows what results would look like, in a minute."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from rfdn_video.cli.console import counted, say
from rfdn_video.cli.films import check_is_film
from rfdn_video.cli.options import (
    add_deinterlace_argument,
    add_network_arguments,
    add_progress_argument,
    add_size_arguments,
)
from rfdn_video.cli.output_folder import made_folder
from rfdn_video.cli.parser import Parser
from rfdn_video.errors import OutputError, UsageError

if TYPE_CHECKING:
    from rfdn_video.media.reading.info import MediaInfo
    from rfdn_video.quality.preview import Candidate, View
    from rfdn_video.settings import Settings

__all__ = ["EXAMPLES", "add_arguments", "execute", "join_options"]

EXAMPLES = """\
examples:
  rfdn-video preview film.mp4 --open                 the bundled weights beside bicubic and Lanczos
  rfdn-video preview a.mp4 b.mkv c.mov -o three.html
  rfdn-video preview film.mp4 -w old.safetensors -w new.safetensors --png crops/
  rfdn-video preview film.mp4 --with "--tune video" --with "-w my.pth --precision bf16"
"""
SIZE = ("scale", "width", "height")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("inputs", nargs="+", type=Path, metavar="INPUT", help="videos")
    add_size_arguments(parser.add_argument_group("size"))
    ways = parser.add_argument_group(
        "ways to enlarge (default: what the job takes by itself, then the other bundled weights)"
    )
    ways.add_argument("-w", "--weights", action="append", default=[], metavar="FILE", help="try these; again for more")
    ways.add_argument(
        "--tune",
        action="append",
        choices=("auto", "video", "light", "clean"),
        default=[],
        help="try the bundled ones for this; auto: what the job takes by itself; again for more",
    )
    ways.add_argument(
        "--with",
        dest="ways",
        action="append",
        default=[],
        metavar="OPTIONS",
        help='try options of the network together: "-m M --tune T --precision P ..."; again for more',
    )
    ways.add_argument("--device", default="auto", metavar="D", help="auto, cpu, cuda, cuda:N, mps, xpu (default auto)")
    parts = parser.add_argument_group("pictures")
    parts.add_argument("--moments", type=int, default=6, metavar="N", help="pictures of each input (default 6)")
    parts.add_argument("--video-stream", type=int, metavar="N", help="as for the job")
    add_deinterlace_argument(parts, "as for the job, where interlaced")
    results = parser.add_argument_group("results")
    results.add_argument(
        "-o", "--output", type=Path, metavar="FILE.html", help="default: <stem>_preview.html beside the first input"
    )
    results.add_argument("--png", type=Path, metavar="DIR", help="write the crops into this folder, too, as PNG files")
    results.add_argument("--open", action="store_true", help="show the page in the browser")
    results.add_argument("-y", "--overwrite", action="store_true", help="replace existing files")
    add_progress_argument(results)
    results.add_argument("-v", "--verbose", action="store_true", help="tracebacks")


def join_options(argv: Sequence[str]) -> list[str]:
    """``--with "-w FILE"`` as ``--with="-w FILE"``: what begins with a dash is no value to argparse."""
    joined: list[str] = []
    for word in argv:
        if joined and joined[-1] == "--with":
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def execute(args: argparse.Namespace) -> int:
    """Makes the page."""
    for path in args.inputs:
        check_is_film(path, "previewed")
    output = _check_output(args)
    asked = _ways(_asked(args), args)
    from rfdn_video.cli.signals import interruptible
    from rfdn_video.media.reading.probe import probe
    from rfdn_video.quality.crop_files import check_images

    with interruptible(), made_folder(None if args.png is None else f"{args.png}/"):
        infos = [probe(path, video_stream=args.video_stream, deinterlace=args.deinterlace) for path in args.inputs]
        ways = asked or _ways(_usual(infos), args)
        if args.png is not None:
            check_images(args.png, args.inputs, [name for name, _ in ways], overwrite=args.overwrite)
        views, remarks = _views(infos, ways, args)
        from rfdn_video.quality.page import render

        title = ", ".join(path.name for path in args.inputs)
        _write(output, render(views, title, remarks), views, args)
    say(f"wrote {output}: {counted(len(views), 'crop')}, each in {len(views[0].layers)} ways")
    if args.open:
        _open(output)
    return 0


def _check_output(args: argparse.Namespace) -> Path:
    output: Path = args.output or args.inputs[0].with_name(f"{args.inputs[0].stem}_preview.html")
    if args.moments < 1:
        raise UsageError(f"moments {args.moments}: 1 or more are allowed")
    if output.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{output.name}: the page is HTML; give a name that ends in .html")
    if output.exists() and not args.overwrite:
        raise OutputError(f"{output}: exists already; give --overwrite to replace it, or another --output")
    if not output.parent.is_dir():
        raise OutputError(f"{output.parent}: no such directory; make it first")
    return output


def _asked(args: argparse.Namespace) -> list[str]:
    lines = [f"--weights={shlex.quote(path)}" for path in args.weights]
    return [*lines, *(f"--tune {tune}" for tune in args.tune), *args.ways]


def _usual(infos: Sequence[MediaInfo]) -> list[str]:
    """What the job would take first; then the other tunes, without one that it takes for all inputs."""
    from rfdn_video.tune import tune_for

    taken = {tune_for(info.video) for info in infos}
    return ["--tune auto", *(f"--tune {tune}" for tune in ("video", "light", "clean") if taken != {tune})]


def _ways(lines: Sequence[str], args: argparse.Namespace) -> list[tuple[str, Settings]]:
    """Names and settings of what is tried."""
    from rfdn_video.quality.names import distinct_names

    tried = [_settings(line, args) for line in lines]
    files = [settings.weights for settings in tried if settings.weights is not None]
    names = dict(zip(files, distinct_names(files), strict=True))
    ways: dict[str, Settings] = {}
    for line, settings in zip(lines, tried, strict=True):
        name = _name(line, settings, names)
        if name in ways:
            raise UsageError(f"{name} is to be tried twice; leave one out")
        ways[name] = settings
    return list(ways.items())


def _settings(line: str, args: argparse.Namespace) -> Settings:
    from rfdn_video.settings import Settings

    parser = Parser(prog="rfdn-video preview --with", add_help=False)
    add_network_arguments(parser.add_argument_group("network"))
    try:
        given = parser.parse_args(shlex.split(line))
    except ValueError as error:
        raise UsageError(f"--with {line!r}: {error}") from None
    values = {name: value for name, value in vars(given).items() if value is not None}
    values = {"device": args.device} | values | {name: getattr(args, name) for name in SIZE}
    return Settings(**values)


def _name(line: str, settings: Settings, files: Mapping[Path, str]) -> str:
    words = shlex.split(line)
    if len(words) <= 2 and settings.weights is not None:
        return files[settings.weights]
    return f"{settings.model} {settings.tune}" if len(words) == 2 and words[0] == "--tune" else line.strip()


def _views(
    infos: Sequence[MediaInfo], ways: Sequence[tuple[str, Settings]], args: argparse.Namespace
) -> tuple[list[View], list[str]]:
    from rfdn_video.cli.progress import progress
    from rfdn_video.inference.vectors import suit_vectors
    from rfdn_video.quality.preview import preview

    views: list[View] = []
    remarks: list[str] = []
    suit_vectors(settings.precision for _, settings in ways)
    for info in infos:
        candidates = _candidates(info, ways)
        target = candidates[0].upscaler.output_size(info.video.width, info.video.height, info.video.format)
        remarks.append(f"{info.path.name}: {info.video.width}x{info.video.height} to {target[0]}x{target[1]}")
        remarks += _descriptions(candidates)
        with progress(args.progress, info.path.name, args.moments) as on_view:
            views += preview(info, candidates, args.moments, on_view)
    return views, remarks


def _candidates(info: MediaInfo, ways: Sequence[tuple[str, Settings]]) -> list[Candidate]:
    from rfdn_video.inference.scaling import target_size
    from rfdn_video.inference.upscaler import Upscaler
    from rfdn_video.models.catalog import load_bundled
    from rfdn_video.plan import for_display
    from rfdn_video.quality.preview import Candidate
    from rfdn_video.tune import tune_for

    video = info.video
    candidates = []
    for name, settings in ways:
        size = for_display(settings, video)
        wide, _ = target_size((video.width, video.height), scale=size.scale, width=size.width, height=size.height)
        upscaler = Upscaler(
            scale=Fraction(wide, video.width),
            weights=settings.weights
            or load_bundled(settings.model, tune_for(video, settings.tune), wide / video.width),
            device=settings.device,
            precision=settings.precision,
            engine=settings.engine,
            tile=settings.tile,
        )
        candidates.append(Candidate(name, upscaler))
    return candidates


def _descriptions(candidates: Sequence[Candidate]) -> list[str]:
    """The order of the lines is that of the choices on the page."""
    return [
        f"{c.name}: {c.upscaler.weights.network} x{c.upscaler.weights.scale}, {c.upscaler.weights.path.name}, "
        f"SHA-256 {c.upscaler.weights.sha256[:12]}"
        for c in candidates
    ]


def _write(output: Path, page: str, views: Sequence[View], args: argparse.Namespace) -> None:
    from rfdn_video.media.keeping.publish import Draft
    from rfdn_video.quality.crop_files import save_images

    try:
        with Draft(output, overwrite=args.overwrite) as draft:
            draft.path.write_text(page, encoding="utf-8", errors="backslashreplace")  # names may be no text
            draft.publish()
        if args.png is not None:
            save_images(views, args.png, overwrite=args.overwrite)
    except FileExistsError as error:
        raise OutputError(f"{error.filename}: exists already; give --overwrite to replace it") from None
    except OSError as error:
        raise OutputError(f"{error.filename or output}: cannot be written: {error.strerror}") from None


def _open(output: Path) -> None:
    import webbrowser

    if not webbrowser.open(output.resolve().as_uri()):
        say(f"rfdn-video: no browser found; open {output} yourself", file=sys.stderr)
