"""A finished video, or several, against a reference: frames matched by time, measured, shown side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from torch import Tensor

from rfdn_video.errors import InputError, UsageError
from rfdn_video.frame import Frame
from rfdn_video.media.keeping.publish import check_output
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.media.reading.info import MediaInfo
from rfdn_video.media.reading.probe import probe
from rfdn_video.media.timing import TimeRange
from rfdn_video.quality.match import Moment, Track, clock_offset, matched, tolerance
from rfdn_video.quality.measure import Meter
from rfdn_video.quality.metrics import WINDOW
from rfdn_video.quality.names import distinct_file_names
from rfdn_video.quality.scores import Comparison
from rfdn_video.quality.side_by_side import SideBySide
from rfdn_video.quality.space import Aligner, Space, space_of
from rfdn_video.quality.vmaf import VMAF
from rfdn_video.settings import Deinterlace
from rfdn_video.stages import Prefetch

__all__ = ["Options", "compare"]

QUEUE_DEPTH = 3
"""Frames that wait between a decoder and the measuring."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to compare.

    Attributes:
        start, end: part of the reference, in seconds from its beginning.
        frames: at most so many frames of the reference.
        offset: added to the outputs' times, in seconds: what was cut off their beginning.
        scale_reference: a reference of another size is scaled to each output's; else it is refused.
        deinterlace: of interlaced files, as for the job that made the outputs; None refuses them.
        bands: heights of the bands in which an output was done, in its rows; one entry a pass of the network.
        vmaf: ask the ffmpeg program for VMAF.
        side_by_side: file for a clip of all of them next to each other.
        overwrite: replace that file if it exists.
    """

    start: Fraction | None = None
    end: Fraction | None = None
    frames: int | None = None
    offset: Fraction = Fraction(0)
    scale_reference: bool = False
    deinterlace: Deinterlace | None = None
    bands: tuple[Fraction, ...] = ()
    vmaf: bool = False
    side_by_side: Path | None = None
    overwrite: bool = False


@dataclass
class _Output:
    """One output on its way through."""

    info: MediaInfo
    space: Space
    to_space: Aligner
    reference_to_space: Aligner
    meter: Meter
    vmaf: VMAF | None
    missing: list[Fraction] = field(default_factory=list)


def compare(
    reference: Path, outputs: Sequence[Path], options: Options, on_frame: Callable[[int], None] = lambda _: None
) -> list[Comparison]:
    """Compares videos with a reference in one go.

    Args:
        reference: what they should look like.
        outputs: the videos.
        options: how.
        on_frame: called after every frame of the reference with the number done.

    Returns:
        One for each output, in order.

    Raises:
        InputError: a file cannot be read, its size is not the reference's, the part holds no frame, or none match.
        UsageError, OutputError: options that do not go together, a clip that cannot be written.
    """
    first = probe(reference, deinterlace=options.deinterlace)
    infos = [probe(path, deinterlace=options.deinterlace) for path in outputs]
    with ExitStack() as stack:
        entries = [_prepare(first, info, options, stack) for info in infos]
        clip = stack.enter_context(_clip(first, entries, options)) if options.side_by_side else None
        tracks = [_track(first, entry.info, options, stack) for entry in entries]
        frames = _frames(first, _reference_range(first, options), stack)
        for count, moment in enumerate(matched(frames, clock_offset(first), tracks), start=1):
            _take(moment, entries, clip)
            on_frame(count)
        whole = options.start is None and options.end is None and options.frames is None
        if whole:
            for track in tracks:
                track.finish()
        extras = [track.extra if whole else [] for track in tracks]
        results = [_result(first, entry, extra, options) for entry, extra in zip(entries, extras, strict=True)]
        if clip is not None:
            clip.finish()
    return results


def _prepare(reference: MediaInfo, info: MediaInfo, options: Options, stack: ExitStack) -> _Output:
    size, wanted = (info.video.width, info.video.height), (reference.video.width, reference.video.height)
    if size != wanted and not options.scale_reference:
        raise InputError(
            f"{info.path}: {size[0]}x{size[1]}, but the reference {reference.path.name} has {wanted[0]}x{wanted[1]}; "
            "give a reference of the same size, or --scale-reference to have it scaled (bicubic)"
        )
    if min(size) < WINDOW:
        raise InputError(f"{info.path}: {size[0]}x{size[1]} pixels; {WINDOW} or more a side can be compared")
    space = space_of(reference.video, size)
    return _Output(
        info=info,
        space=space,
        to_space=Aligner(info.video, space),
        reference_to_space=Aligner(reference.video, space),
        meter=Meter(space.peak, _borders(options.bands, size[1])),
        vmaf=stack.enter_context(VMAF(space)) if options.vmaf else None,
    )


def _borders(bands: Sequence[Fraction], height: int) -> list[int]:
    for band in bands:
        if band < 1:
            raise UsageError(f"bands of {float(band):g} rows: 1 or more are allowed")
    return sorted(
        {round(k * band) for band in bands for k in range(1, int(height / band) + 1) if k * band < height - 1}
    )


def _reference_range(info: MediaInfo, options: Options) -> TimeRange:
    start, end = (None if t is None else t + info.start_time for t in (options.start, options.end))
    return TimeRange(start, end, options.frames)


def _track(reference: MediaInfo, info: MediaInfo, options: Options, stack: ExitStack) -> Track:
    near = tolerance(reference, info)
    wanted, offset = _reference_range(reference, options), options.offset + clock_offset(info)
    move = clock_offset(reference) - offset  # from the reference's clock to the output's own
    start = None if wanted.start is None else wanted.start + move - near
    end = None if wanted.end is None else wanted.end + move + near
    return Track(_frames(info, TimeRange(start, end), stack), offset, near)


def _frames(info: MediaInfo, wanted: TimeRange, stack: ExitStack) -> Iterator[Frame]:
    decoder = stack.enter_context(Decoder(info, wanted))
    return stack.enter_context(Prefetch(decoder, QUEUE_DEPTH, f"decode {info.path.name}", stop=decoder.stop))


def _take(moment: Moment, entries: Sequence[_Output], clip: SideBySide | None) -> None:
    panes: list[Sequence[Tensor] | None] = []
    for entry, frame in zip(entries, moment.partners, strict=True):
        if frame is None:
            entry.missing.append(moment.time)
            entry.meter.skip()
            panes.append(None)
            continue
        planes, reference = entry.to_space(frame), entry.reference_to_space(moment.reference)
        entry.meter.add(moment.time, moment.reference.pts, reference, planes)
        if entry.vmaf is not None:
            entry.vmaf.add(reference[0], planes[0])
        panes.append(planes)
    if clip is not None:
        clip.add(moment.reference, [entries[0].reference_to_space(moment.reference), *panes])


def _clip(reference: MediaInfo, entries: Sequence[_Output], options: Options) -> SideBySide:
    assert options.side_by_side is not None
    for entry in entries[1:]:
        if entry.space != entries[0].space:
            raise UsageError(
                f"{entry.info.path.name} is not of the size of {entries[0].info.path.name}; "
                "--side-by-side shows videos of one size"
            )
    for video in (reference, *(entry.info for entry in entries)):
        check_output(options.side_by_side, video.path, overwrite=options.overwrite)
    names = ["reference", *distinct_file_names([entry.info.path for entry in entries])]
    return SideBySide(options.side_by_side, reference, entries[0].space, names, overwrite=options.overwrite)


def _result(reference: MediaInfo, entry: _Output, extra: list[Fraction], options: Options) -> Comparison:
    path, scores = entry.info.path, entry.meter.scores
    if not scores and not entry.missing:
        lasts = "" if reference.duration is None else f" of its {float(reference.duration):g} s"
        raise InputError(f"{reference.path}: no frame{lasts} is {_part(options)}; choose another --start or --end")
    if not scores:
        raise InputError(
            f"{path}: none of its frames is shown at the time of one of {reference.path.name}; "
            "if its beginning was cut off, say by how many seconds with --offset"
        )
    if entry.vmaf is not None:
        for score, value in zip(scores, entry.vmaf.finish(), strict=True):
            score.vmaf = value
    return Comparison(path, scores, entry.missing, extra, tuple(_notes(reference, entry.info, entry.space)))


def _part(options: Options) -> str:
    start = f"at or after {float(options.start or 0):g} s"
    return start if options.end is None else f"{start} and before {float(options.end):g} s"


def _notes(reference: MediaInfo, info: MediaInfo, space: Space) -> Iterator[str]:
    """What a reader should know of how the two were brought together."""
    a, b = reference.video, info.video
    if (a.width, a.height) != (space.width, space.height):
        yield f"the reference was scaled from {a.width}x{a.height} to {space.width}x{space.height}, bicubic"
    if a.format != b.format or replace(a.color, primaries=2, transfer=2) != replace(b.color, primaries=2, transfer=2):
        yield f"{b.pix_fmt} was compared with {a.pix_fmt} in code values of the reference"
    if {a.color.transfer, b.color.transfer} - {1, 2, 6, 14, 15} and a.color.transfer != b.color.transfer:
        yield "the two have different transfer functions; their code values were compared as they are"
    if a.display_matrix != b.display_matrix:
        yield "the two are turned differently when they are shown; they were compared as they are stored"
