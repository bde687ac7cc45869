"""Chooses container and encoder, and refuses what they are known not to hold; checking/rehearsal.py tries the rest."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from io import BytesIO
from pathlib import Path

import av
from av.codec import Codec
from av.codec.codec import UnknownCodecError

from rfdn_video.encoder_names import encoder_name
from rfdn_video.errors import InputError, OutputError, UsageError
from rfdn_video.frame import PixelFormat
from rfdn_video.media.encoding.builds import Build
from rfdn_video.media.encoding.encoders import ENCODERS, encoder_options, traits_of
from rfdn_video.media.encoding.hdr_template import HDR_CODECS
from rfdn_video.media.formats import ffmpeg_name, planar_layout, same_samples
from rfdn_video.media.hdr import NO_HDR, HDRMetadata, hdr_options
from rfdn_video.settings import Settings

__all__ = [
    "STREAMABLE",
    "Container",
    "Target",
    "advice",
    "check_size",
    "choose_container",
    "choose_encoder",
    "container_advice",
    "usual_layout",
]


@dataclass(frozen=True)
class Container:
    """An output container.

    Attributes:
        name: as in ``Settings.container``, also the file name's suffix.
        muxer: FFmpeg's name of it.
        encoders: those that go well with it, best first; the first that takes the pixel format is the default.
        options: of the muxer.
        carries: kinds of streams that it can hold beside the video.
        keeps_tags: it stores colour, rotation and the shape of pixels.
        keeps_range: it stores whether samples are of full range.
        keeps_time: it stores when each picture is shown, not just how many there are in a second.
    """

    name: str
    muxer: str
    encoders: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)
    carries: frozenset[str] = frozenset()
    keeps_tags: bool = True
    keeps_range: bool = True
    keeps_time: bool = True


# Microseconds that the muxer waits for a stream that has no packets: long enough for an encoder's look-ahead,
# short enough not to hold a film in memory whose sound has ended.
_INTERLEAVE = {"max_interleave_delta": "10000000"}
_MP4 = {"movflags": "+faststart", **_INTERLEAVE}
_ALL = ("libx264", "libx265", "ffv1", "libsvtav1", "libvpx-vp9", "prores_ks")
_USUAL = frozenset(("audio", "subtitle", "cover"))
_CONTAINERS = {
    c.name: c
    for c in (
        Container("mp4", "mp4", ("libx264", "libx265", "libsvtav1", "libvpx-vp9"), _MP4, _USUAL),
        Container("mov", "mov", ("libx264", "libx265", "prores_ks"), _MP4, frozenset(("audio", "subtitle"))),
        Container("mkv", "matroska", _ALL, _INTERLEAVE, _USUAL | {"attachment"}),
        Container(
            "webm", "webm", ("libvpx-vp9", "libsvtav1", "libaom-av1"), _INTERLEAVE, frozenset(("audio", "subtitle"))
        ),
        Container("nut", "nut", ("rawvideo",), _INTERLEAVE, frozenset(("audio",)), keeps_tags=False, keeps_range=False),
        # More than 8 bit is an extension of y4m that FFmpeg wants to be told of.
        Container("y4m", "yuv4mpegpipe", ("rawvideo",), {"strict": "-1"}, keeps_tags=False, keeps_time=False),
    )
}
STREAMABLE = ("nut", "y4m")
"""Containers that can be written to a pipe."""

_PLAYED = frozenset(("mp4", "mov", "webm"))
"""Containers of films that are to play everywhere: in browsers, on telephones, on television sets."""

_USUAL_ALPHA = ("yuva444p10le", "yuva420p")  # of ProRes 4444 and of VP9

_BY_TOLERANCE = ("mkv", "mov", "mp4", "nut")
"""Of codecs, most first; what of colour NUT does not hold is no matter where nothing else holds the pictures."""

_BY_SUFFIX = {f".{name}": c for name, c in _CONTAINERS.items()} | {".m4v": _CONTAINERS["mp4"]}


@dataclass(frozen=True)
class Target:
    """What is written.

    Attributes:
        container: where to.
        encoder: FFmpeg's name of it.
        layout: of the pictures that the encoder is given.
        pix_fmt: FFmpeg's name of the samples in the order that the encoder takes.
        options: of the encoder.
        build: the FFmpeg that encodes.
    """

    container: Container
    encoder: str
    layout: PixelFormat
    pix_fmt: str
    options: dict[str, str]
    build: Build

    @property
    def takes_captions(self) -> bool:
        """Closed captions get from the pictures into the encoder."""
        return self.build.takes_captions and traits_of(self.encoder).captions

    @property
    def holds_hdr(self) -> bool:
        """The container says what the mastering display was, and how bright it gets."""
        return self.container.keeps_tags and traits_of(self.encoder).codec in HDR_CODECS


def choose_container(output: Path | None, source: Path, source_container: str, wanted: str | None) -> Container:
    """The container asked for, else the output name's, else the source's where it can be written, else mkv.

    Args:
        output: path of the output file; None where it is not named yet, or is standard output. Without a suffix it
            is of any container that is asked for.
        source: path of the source.
        source_container: FFmpeg's name of the source's demuxer.
        wanted: ``Settings.container``.

    Raises:
        UsageError: the output's suffix is of no container that is written.
        OutputError: it is of another one than was asked for.
    """
    named = None if output is None else _BY_SUFFIX.get(output.suffix.lower())
    if wanted is not None:
        if output is not None and output.suffix and named is not _CONTAINERS[wanted]:
            raise OutputError(f"{output.name}: its suffix says another container than {wanted}, which was asked for")
        return _CONTAINERS[wanted]
    if output is not None:
        if named is None:
            raise UsageError(
                f"{output.name}: unknown kind of output {output.suffix.lower()!r}; allowed: {', '.join(_BY_SUFFIX)}"
            )
        return named
    # By content first: an FLV under the name of an MP4 cannot be written as what it is.
    if source_container.startswith("mov"):
        return _CONTAINERS["mov" if source.suffix.lower() == ".mov" else "mp4"]
    if source_container.startswith("matroska"):
        return _CONTAINERS["webm" if source.suffix.lower() == ".webm" else "mkv"]
    return _CONTAINERS["mkv"]


def usual_layout(container: Container, source: PixelFormat, settings: Settings, build: Build) -> PixelFormat:
    """The pixel format of a result where none was asked for: the source's, but 4:2:0 for RGB that is to be played.

    H.265 and VP9 can hold RGB, but few players show it; H.264 of libx264 cannot. Chroma keeps the source's own
    resolution where the picture becomes twice as large or more.

    Args:
        container: where the pictures go.
        source: their format.
        settings: what was asked for.
        build: the FFmpeg that encodes.
    """
    if source.family != "rgb" or source.alpha:
        return source
    encoders = container.encoders if settings.encoder is None else (encoder_name(settings.encoder),)
    played = PixelFormat("yuv", source.depth, 1, 1)
    wanted = (played, source) if container.name in _PLAYED else (source, played)
    return next((w for w in wanted if any(_takes(e, container, w, build) for e in encoders)), source)


def choose_encoder(
    container: Container, layout: PixelFormat, settings: Settings, build: Build, hdr: HDRMetadata = NO_HDR
) -> Target:
    """The encoder that was asked for, else the container's first that takes the pixel format.

    Args:
        container: where its pictures go.
        layout: of the pictures.
        settings: what was asked for.
        build: the FFmpeg that encodes.
        hdr: what it is told of mastering display and light level, where it can be.

    Raises:
        OutputError: no such encoder, or it does not take the pixel format; alternatives are named.
        UsageError: a quality outside its scale.
    """
    if settings.encoder is None:
        encoder = _usual_encoder(container, layout, build)
    else:
        encoder = encoder_name(settings.encoder)
        _check_exists(encoder, build)
    pix_fmt = _taken_format(encoder, layout, build)
    if pix_fmt is None:
        elsewhere = "" if container in _containers_of(encoder) else _container_names(container, encoder, " in ")
        raise OutputError(
            f"encoder {encoder} does not take {ffmpeg_name(layout)}; "
            f"{_advice(container, layout, build, encoder)}, "
            f"or {_format_advice((encoder,), container, layout, build)}{elsewhere}"
        )
    extra = dict(option.split("=", 1) for option in settings.encoder_options)
    options = encoder_options(encoder, layout, settings.crf, settings.encoder_preset, extra)
    for name, value in (hdr_options(encoder, hdr) or {}).items() if hdr else ():
        options[name] = f"{value}:{options[name]}" if name in options else value  # the user's come last, and win
    return Target(container, encoder, layout, pix_fmt, options, build)


def check_size(target: Target, width: int, height: int) -> None:
    """Refuses what must not even be tried.

    Raises:
        OutputError: the pictures are too small for the encoder.
    """
    least = traits_of(target.encoder).min_side
    if min(width, height) < least:
        raise OutputError(
            f"{target.encoder} is not safe on pictures as small as {width}x{height} "
            f"(from {least} pixels a side it is); {advice(target)}"
        )


def advice(target: Target) -> str:
    """What to use instead of the target's encoder, in words."""
    return _advice(target.container, target.layout, target.build, target.encoder)


def container_advice(target: Target) -> str:
    """The same, where the container refuses what the encoder makes: another container helps too."""
    return advice(target) + _container_names(target.container, target.encoder, ", or write to ")


def _advice(container: Container, layout: PixelFormat, build: Build, refused: str) -> str:
    """Those of the same codec first; another container where this one has no other encoder."""
    for container_ in (container, _CONTAINERS["mkv"]):
        names = [n for n in container_.encoders if n != refused and _takes(n, container_, layout, build)]
        if names:
            names.sort(key=lambda name: traits_of(name).codec != traits_of(refused).codec)
            where = "" if container_ is container else "write to .mkv and "
            return f"{where}use --encoder {' or '.join(names)}"
    return "use another container"


def _format_advice(encoders: tuple[str, ...], container: Container, layout: PixelFormat, build: Build) -> str:
    if not layout.alpha:
        near = _nearest_format(encoders, layout, build)
        return "another --pix-fmt" if near is None else f"--pix-fmt {ffmpeg_name(near)}"
    for name in _USUAL_ALPHA:
        if any(_takes(encoder, container, planar_layout(name), build) for encoder in encoders):
            return f"--pix-fmt {name}"
    return "--pix-fmt yuv420p, which drops the alpha channel"


def _nearest_format(encoders: tuple[str, ...], layout: PixelFormat, build: Build) -> PixelFormat | None:
    """Of what the encoders take: what loses least of a layout without alpha, and adds least to it."""
    offered = {name for encoder in encoders if build.has_encoder(encoder) for name in build.pixel_formats(encoder)}
    layouts = []
    for name in sorted(offered):
        with suppress(InputError):  # floating point, and what lies in the memory of a device
            layouts.append(planar_layout(name))
    colourful = (t for t in layouts if not t.alpha and t.family in (layout.family, "yuv"))
    taken = [t for t in colourful if not offered.isdisjoint(same_samples(t))]
    return min(taken, key=lambda t: _distance(layout, t), default=None)


def _distance(wanted: PixelFormat, taken: PixelFormat) -> tuple[int, ...]:
    chroma = (taken.sub_w - wanted.sub_w) + (taken.sub_h - wanted.sub_h)
    deeper = taken.depth - wanted.depth
    return (taken.family != wanted.family, max(0, chroma), max(0, -deeper), max(0, -chroma), max(0, deeper))


def _container_names(container: Container, encoder: str, before: str) -> str:
    """The other containers for what an encoder makes, behind ``before``; nothing where there is none."""
    names = [f".{c.name}" for c in _containers_of(encoder) if c is not container]
    if not any(_goes_with(encoder, known) for known in _CONTAINERS.values()):
        names = names[:1]  # libav alone says that they take it: the most tolerant of them
    return f"{before}{' or '.join(names)}" if names else ""


def _containers_of(encoder: str) -> list[Container]:
    """Those that go well with what an encoder makes; where there is none, all that libav writes it to."""
    return [c for c in _CONTAINERS.values() if _goes_with(encoder, c)] or [
        _CONTAINERS[name] for name in _BY_TOLERANCE if _is_written(encoder, _CONTAINERS[name])
    ]


def _goes_with(encoder: str, container: Container) -> bool:
    return traits_of(encoder).codec in (traits_of(usual).codec for usual in container.encoders)


def _is_written(encoder: str, container: Container) -> bool:
    try:
        codec = Codec(encoder, "w").canonical_name
    except UnknownCodecError:  # of the ffmpeg program
        return False
    with av.open(BytesIO(), "w", format=container.muxer) as output:
        return codec in output.supported_codecs


def _usual_encoder(container: Container, layout: PixelFormat, build: Build) -> str:
    encoder = next((name for name in container.encoders if _takes(name, container, layout, build)), None)
    if encoder is None:
        raise OutputError(
            f"no encoder for {ffmpeg_name(layout)} in {container.name} "
            f"({', '.join(container.encoders)} do not take it); "
            f"{_advice(container, layout, build, '')}, "
            f"or {_format_advice(container.encoders, container, layout, build)}"
        )
    return encoder


def _takes(encoder: str, container: Container, layout: PixelFormat, build: Build) -> bool:
    if layout.alpha and not traits_of(encoder).keeps_alpha_in(container.name):
        return False
    return build.has_encoder(encoder) and _taken_format(encoder, layout, build) is not None


def _taken_format(encoder: str, layout: PixelFormat, build: Build) -> str | None:
    taken, known = build.pixel_formats(encoder), traits_of(encoder).alpha_formats
    if layout.alpha and known and ffmpeg_name(layout) not in known:
        return None
    return next((name for name in same_samples(layout) if not taken or name in taken), None)


def _check_exists(encoder: str, build: Build) -> None:
    if not build.has_encoder(encoder):
        known = [name for name in ENCODERS if build.has_encoder(name)]
        near = get_close_matches(encoder, known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise OutputError(
            f"no video encoder {encoder!r} in {build.title}; {hint}Well-known ones there: {', '.join(known)}"
            f"{build.remedy}"
        )
