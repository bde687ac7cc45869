"""Chooses container and encoder, and refuses before the first frame what they cannot hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from av.codec import Codec
from av.codec.codec import UnknownCodecError

from rfdn_video.errors import OutputError, UsageError
from rfdn_video.frame import PixelFormat
from rfdn_video.media.formats import ffmpeg_name

__all__ = [
    "CURATED_ENCODERS",
    "STREAMABLE",
    "Container",
    "Target",
    "choose_container",
    "choose_encoder",
    "encoder_exists",
    "usable_encoders",
]


@dataclass(frozen=True)
class Container:
    """An output container.

    Attributes:
        name: as in ``Settings.container``, also the file name's suffix.
        muxer: FFmpeg's name of it.
        encoders: usual ones, best first; the first that takes the pixel format is the default.
        options: of the muxer.
        carries: kinds of streams that it can hold beside the video.
        keeps_tags: it stores colour and the shape of pixels.
        keeps_time: it stores when each picture is shown, not just how many there are in a second.
    """

    name: str
    muxer: str
    encoders: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)
    carries: frozenset[str] = frozenset()
    keeps_tags: bool = True
    keeps_time: bool = True


# Microseconds that the muxer waits for a stream that has no packets: long enough for an encoder's look-ahead,
# short enough not to hold a film in memory whose sound has ended.
_INTERLEAVE = {"max_interleave_delta": "10000000"}
_MP4 = {"movflags": "+faststart", **_INTERLEAVE}
_USUAL = frozenset(("audio", "subtitle", "cover"))
_CONTAINERS = {
    c.name: c
    for c in (
        Container("mp4", "mp4", ("libx264", "libx265"), _MP4, _USUAL),
        Container("mov", "mov", ("libx264", "libx265", "prores_ks"), _MP4, frozenset(("audio", "subtitle"))),
        Container("mkv", "matroska", ("libx264", "libx265", "ffv1"), _INTERLEAVE, _USUAL | {"attachment"}),
        Container("webm", "webm", ("libvpx-vp9", "libsvtav1"), _INTERLEAVE, frozenset(("audio", "subtitle"))),
        Container("nut", "nut", ("rawvideo",), _INTERLEAVE, frozenset(("audio",)), keeps_tags=False),
        # More than 8 bit is an extension of y4m that FFmpeg wants to be told of.
        Container("y4m", "yuv4mpegpipe", ("rawvideo",), {"strict": "-1"}, keeps_tags=False, keeps_time=False),
    )
}
STREAMABLE = ("nut", "y4m")
"""Containers that can be written to a pipe."""

_BY_SUFFIX = {f".{name}": c for name, c in _CONTAINERS.items()} | {".m4v": _CONTAINERS["mp4"]}

# Visually lossless at the enlarged size, each encoder on its own scale.
_DEFAULT_CRF = {"libx264": 18, "libx265": 20, "libvpx-vp9": 24, "libsvtav1": 24}
_FIXED_OPTIONS = {
    "libx264": {"preset": "medium"},
    "libx265": {"preset": "medium", "x265-params": "log-level=error"},
    "libvpx-vp9": {"b": "0", "row-mt": "1", "deadline": "good", "cpu-used": "2"},
    "libsvtav1": {"preset": "6"},
    "ffv1": {"level": "3", "slicecrc": "1", "g": "1"},
}
CURATED_ENCODERS = ("libx264", "libx265", "libsvtav1", "libvpx-vp9", "ffv1", "prores_ks", "rawvideo")


@dataclass(frozen=True)
class Target:
    """What is written: container, encoder and its options."""

    container: Container
    encoder: str
    pix_fmt: str
    options: dict[str, str]


def choose_container(output: Path | None, source: Path, source_container: str, wanted: str | None) -> Container:
    """The container asked for, else the output name's, else the source's where it can be written, else mkv.

    Args:
        output: path of the output file; None where it is not named yet, or is standard output.
        source: path of the source.
        source_container: FFmpeg's name of the source's demuxer.
        wanted: ``Settings.container``.

    Raises:
        UsageError: the output's suffix is of no container that is written.
    """
    if wanted is not None:
        return _CONTAINERS[wanted]
    if output is not None:
        if (suffix := output.suffix.lower()) not in _BY_SUFFIX:
            raise UsageError(f"{output.name}: unknown kind of output {suffix!r}; allowed: {', '.join(_BY_SUFFIX)}")
        return _BY_SUFFIX[suffix]
    # By content first: an FLV under the name of an MP4 cannot be written as what it is.
    if source_container.startswith("mov"):
        return _CONTAINERS["mov" if source.suffix.lower() == ".mov" else "mp4"]
    if source_container.startswith("matroska"):
        return _CONTAINERS["webm" if source.suffix.lower() == ".webm" else "mkv"]
    return _CONTAINERS["mkv"]


def choose_encoder(container: Container, layout: PixelFormat, encoder: str | None, crf: int | None) -> Target:
    """The encoder that was asked for, else the container's first that takes the pixel format.

    Raises:
        OutputError: no such encoder, or it does not take the pixel format; alternatives are named.
    """
    pix_fmt = ffmpeg_name(layout)
    if encoder is None:
        encoder = next((name for name in container.encoders if pix_fmt in _formats(name)), None)
        if encoder is None:
            raise OutputError(
                f"no encoder for {pix_fmt} in {container.name} ({', '.join(container.encoders)} do not take it); "
                f"choose another container, or one of --encoder {', '.join(usable_encoders(pix_fmt))}"
            )
    elif pix_fmt not in _formats(encoder):
        raise OutputError(f"encoder {encoder} does not take {pix_fmt}; these do: {', '.join(usable_encoders(pix_fmt))}")
    return Target(container, encoder, pix_fmt, _encoder_options(encoder, crf))


def _encoder_options(encoder: str, crf: int | None) -> dict[str, str]:
    """This project's options for an encoder.

    Raises:
        OutputError: a crf for an encoder that has none.
    """
    options = dict(_FIXED_OPTIONS.get(encoder, {}))
    if encoder in _DEFAULT_CRF:
        options["crf"] = str(_DEFAULT_CRF[encoder] if crf is None else crf)
    elif crf is not None:
        raise OutputError(f"encoder {encoder} has no crf; these have: {', '.join(_DEFAULT_CRF)}")
    return options


def usable_encoders(pix_fmt: str) -> list[str]:
    """Those of the well-known encoders that are present and take ``pix_fmt``."""
    return [
        name for name in CURATED_ENCODERS if name != "rawvideo" and encoder_exists(name) and pix_fmt in _formats(name)
    ]


def encoder_exists(encoder: str) -> bool:
    """This build of FFmpeg has a video encoder of that name."""
    try:
        return Codec(encoder, "w").type == "video"
    except UnknownCodecError:
        return False


class _Anything:
    def __contains__(self, _: object) -> bool:
        return True


def _formats(encoder: str) -> frozenset[str] | _Anything:
    if not encoder_exists(encoder):
        near = get_close_matches(encoder, CURATED_ENCODERS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        known = ", ".join(name for name in CURATED_ENCODERS if encoder_exists(name))
        raise OutputError(f"no video encoder {encoder!r} in this build of FFmpeg{hint} Well-known ones here: {known}")
    formats = Codec(encoder, "w").video_formats
    return frozenset(f.name for f in formats) if formats else _Anything()
