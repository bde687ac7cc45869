"""``rfdn-video compare``: finished videos measured against a reference, and shown beside it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rfdn_video.cli.console import say
from rfdn_video.cli.films import check_is_film
from rfdn_video.cli.options import add_deinterlace_argument, add_progress_argument, parse_scale, parse_seconds
from rfdn_video.errors import OutputError, UsageError

if TYPE_CHECKING:
    from rfdn_video.quality.compare import Options
    from rfdn_video.quality.scores import Comparison

__all__ = ["EXAMPLES", "add_arguments", "execute"]

EXAMPLES = """\
examples:
  rfdn-video compare film.mp4 a.mp4 b.mp4            PSNR, SSIM, flicker of two results against the film
  rfdn-video compare film.mp4 a.mp4 --plot a.png --csv a.csv
  rfdn-video compare small.mp4 small_x2.mp4 --scale-reference --side-by-side both.mp4

docs/quality.md defines the measures.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("reference", type=Path, metavar="REFERENCE", help="what the outputs should look like")
    parser.add_argument("outputs", type=Path, nargs="+", metavar="OUTPUT", help="videos of the same size")
    _add_matching_arguments(parser.add_argument_group("what is compared"))
    _add_measure_arguments(parser.add_argument_group("further measures"))
    _add_result_arguments(parser.add_argument_group("results"))


def _add_matching_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--start", type=parse_seconds, metavar="T", help="of the reference: seconds or [h:]m:s")
    group.add_argument("--end", type=parse_seconds, metavar="T", help="up to this time of the reference")
    group.add_argument("--frames", type=int, metavar="N", help="at most N frames of the reference")
    group.add_argument(
        "--offset",
        type=parse_seconds,
        default=Fraction(0),
        metavar="T",
        help="added to the outputs' times: how much was cut off their beginning",
    )
    group.add_argument(
        "--scale-reference", action="store_true", help="scale a reference of another size to the outputs' (bicubic)"
    )
    add_deinterlace_argument(group, "as for the job that made them")


def _add_measure_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--vmaf", action="store_true", help="VMAF, where the ffmpeg program on the PATH has libvmaf")
    bands = group.add_mutually_exclusive_group()
    bands.add_argument("--tile", type=int, metavar="ROWS", help="seam score for a job that was done with --tile ROWS")
    bands.add_argument(
        "--summary", type=Path, metavar="FILE", help="the same by what rfdn-video --json printed for the output"
    )
    group.add_argument("-s", "--scale", type=parse_scale, metavar="S", help="of that job, beside --tile (default 2)")


def _add_result_arguments(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--json", action="store_true", help="print all of it as one JSON object")
    group.add_argument("--csv", type=Path, metavar="FILE", help="write a row a frame")
    group.add_argument(
        "--plot", type=Path, metavar="FILE", help="write plots over time: .png, .pdf or .svg (extra: plots)"
    )
    group.add_argument("--side-by-side", type=Path, metavar="FILE", help="write a clip of all of them, labelled")
    group.add_argument("-y", "--overwrite", action="store_true", help="replace existing files")
    add_progress_argument(group)
    group.add_argument("-v", "--verbose", action="store_true", help="tracebacks")


def execute(args: argparse.Namespace) -> int:
    """Measures, prints and writes."""
    for path in (args.reference, *args.outputs):
        check_is_film(path, "compared")
    for path in (args.csv, args.plot, args.side_by_side):
        _check_new(path, args)
    if args.plot is not None and find_spec("matplotlib") is None:
        raise UsageError("--plot needs matplotlib; pip install 'rfdn-video[plots]'")
    options = _options(args)
    from rfdn_video.cli.progress import progress
    from rfdn_video.cli.signals import interruptible
    from rfdn_video.media.reading.probe import probe
    from rfdn_video.quality.compare import compare
    from rfdn_video.quality.plots import check_plot_name

    if args.plot is not None:
        check_plot_name(args.plot)
    with interruptible():
        total = options.frames or probe(args.reference, deinterlace=options.deinterlace).video.frame_count
        with progress(args.progress, args.reference.name, total) as on_frame:
            comparisons = compare(args.reference, args.outputs, options, on_frame)
        _write(args, comparisons)
    if args.json:
        record = {"reference": str(args.reference), "outputs": [c.as_dict() for c in comparisons]}
        print(json.dumps(record, indent=2))
    else:
        _print(comparisons)
    return 0


def _options(args: argparse.Namespace) -> Options:
    from rfdn_video.quality.compare import Options

    if args.frames is not None and args.frames < 1:
        raise UsageError(f"frames {args.frames}: 1 or more are allowed")
    if args.scale is not None and args.tile is None:
        raise UsageError("--scale goes with --tile ROWS; the size of the videos is in the files")
    names = ("start", "end", "frames", "offset", "scale_reference", "deinterlace", "vmaf", "side_by_side", "overwrite")
    return Options(bands=_bands(args), **{name: getattr(args, name) for name in names})


def _bands(args: argparse.Namespace) -> tuple[Fraction, ...]:
    """Heights of the bands in rows of the outputs."""
    if args.tile is not None:
        if args.tile < 1:
            raise UsageError(f"tile {args.tile}: 1 row or more is allowed")
        return (args.tile * (args.scale or Fraction(2)),)
    return _read_bands(args.summary, args.outputs) if args.summary is not None else ()


def _read_bands(summary: Path, outputs: Sequence[Path]) -> tuple[Fraction, ...]:
    if len(outputs) > 1:
        raise UsageError(f"--summary tells the bands of one output, {len(outputs)} were given; compare them one by one")
    try:
        records = [json.loads(line) for line in summary.read_text(encoding="utf-8").splitlines() if line.strip()]
        names = {Path(record["output"]).name: record["bands"] for record in records if record.get("output")}
        bands = names[outputs[0].name]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UsageError(f"{summary}: is not what rfdn-video --json prints ({error})") from None
    except KeyError:
        raise UsageError(f"{summary}: has no bands of {outputs[0].name}; give --tile ROWS") from None
    return tuple(Fraction(band).limit_denominator(1000) for band in bands)


def _check_new(path: Path | None, args: argparse.Namespace) -> None:
    if path is None:
        return
    if path.exists() and not args.overwrite:
        raise OutputError(f"{path}: exists already; give another name, or --overwrite to replace it")
    if path.exists() and any(video.exists() and path.samefile(video) for video in (args.reference, *args.outputs)):
        raise OutputError(f"{path}: is one of the videos; give another name")
    if not path.parent.is_dir():
        raise OutputError(f"{path.parent}: no such directory; make it first")


def _write(args: argparse.Namespace, comparisons: Sequence[Comparison]) -> None:
    from rfdn_video.quality.plots import plot_over_time
    from rfdn_video.quality.scores import as_csv

    try:
        if args.csv is not None:
            args.csv.write_text(as_csv(comparisons), encoding="utf-8", errors="backslashreplace")
        if args.plot is not None:
            plot_over_time(args.plot, comparisons)
    except OSError as error:
        raise OutputError(f"{error.filename}: cannot be written: {error.strerror}") from None


def _print(comparisons: Sequence[Comparison]) -> None:
    from rfdn_video.cli.terminal import print_table
    from rfdn_video.quality.names import distinct_file_names

    names = distinct_file_names([c.output for c in comparisons])
    planes = max(len(c.scores[0].errors) for c in comparisons)
    headings = ["", "frames", "PSNR Y", "pooled", "lowest", *("PSNR U", "PSNR V")[: planes - 1], "SSIM", "flicker"]
    optional = {"seam": [c.seam for c in comparisons], "VMAF": [c.vmaf for c in comparisons]}
    shown = [name for name, values in optional.items() if any(value is not None for value in values)]
    rows = [
        [names[i], *_cells(c), *(_number(optional[name][i], 2) for name in shown)] for i, c in enumerate(comparisons)
    ]
    print_table(headings + shown, rows)
    for name, comparison in zip(names, comparisons, strict=True):
        _print_remarks(name, comparison)


def _cells(c: Comparison) -> list[str]:
    chroma = [_number(c.psnr(plane), 2) for plane in range(1, len(c.scores[0].errors))]
    psnr = [_number(value, 2) for value in (c.psnr(0), c.pooled_psnr(0), c.worst[0].psnr[0])]
    return [str(len(c.scores)), *psnr, *chroma, _number(c.ssim, 4), _number(c.flicker, 3)]


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _print_remarks(name: str, c: Comparison) -> None:
    times = ", ".join(f"{float(score.time):.3f} s ({score.psnr[0]:.2f} dB)" for score in c.worst)
    say(f"{name}: worst frames {times}")
    if c.identical:
        say(f"{name}: Y of {c.identical} frames is the reference's; the mean PSNR is over the others")
    for alone, what in ((c.missing, "of the reference have no partner"), (c.extra, "are no partner of any")):
        if alone:
            say(f"{name}: {len(alone)} frames {what}, the first at {float(alone[0]):.3f} s", file=sys.stderr)
    for note in c.notes:
        say(f"{name}: {note}")
