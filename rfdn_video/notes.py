"""What a plan decides that its user may want to know, in words."""

from __future__ import annotations

from rfdn_video.frame import Matrix, PixelFormat
from rfdn_video.inference.scaling import ScalePlan
from rfdn_video.media.encoding.result_color import conversions
from rfdn_video.media.formats import ffmpeg_name
from rfdn_video.plan import FilePlan

__all__ = ["plan_notes"]


HALF_DEPTH = 10
"""Bits of a sample up to which half precision is within one code value of fp32."""


def plan_notes(files: FilePlan, scale: ScalePlan, *, half: bool = False) -> list[str]:
    """Decisions that a user may want to know of, in words.

    Args:
        files, scale: the plan.
        half: the network computes in half precision.
    """
    video, notes = files.info.video, [files.room] if files.room else []
    if video.format.family != "rgb" and video.tagged_matrix in (Matrix.UNSPECIFIED, Matrix.RGB):
        said = "the output is tagged so" if files.target.container.keeps_tags else "the output cannot say so"
        notes.append(
            f"the colour matrix is not tagged: {video.color.matrix.name} is taken for {video.width}x{video.height}, "
            f"and {said}"
        )
    if not video.rate_is_said:
        notes.append(
            f"the stream does not say how fast it plays: {float(video.frame_rate):g} frames a second are taken; "
            "where that is wrong, give it times beforehand: ffmpeg -r RATE -i IN -c:v ffv1 OUT.mkv"
        )
    if video.crop:
        wide, high = video.decoded_size
        notes.append(f"the container crops {wide}x{high} to {video.width}x{video.height}: only that is enlarged")
    if files.deinterlace and not video.interlaced:
        notes.append("the video is not marked as interlaced: --deinterlace changes only pictures further on that are")
    if scale.passes > 1:
        notes.append(
            f"no x{scale.native**scale.passes} network is at hand: the x{scale.native} one runs {scale.passes} times"
        )
    if scale.resamples:
        wide, high = scale.enlarged
        notes.append(
            f"the network's {wide}x{high} is resampled to {scale.target[0]}x{scale.target[1]} (antialiased bicubic)"
        )
    notes += _size_notes(files)
    if half and min(video.format.depth, files.target.layout.depth) > HALF_DEPTH:
        notes.append(
            f"the network computes in half precision, which has fewer digits than {video.format.depth} bits: "
            "--precision fp32 keeps them"
        )
    notes += _conversion_notes(video.format, files.target.layout)
    unsaid = f"{files.target.encoder} in {files.target.container.name} cannot say otherwise"
    if video.format.family != "rgb":
        notes += [f"{what}: {unsaid}" for what in conversions(video.color, files.layout.color, files.target.layout)]
    if not files.target.container.keeps_time:
        rate = f"{float(video.frame_rate):g} frames a second"
        notes.append(f"{files.target.container.name} holds no timestamps: the result plays at {rate}")
    return notes


def _size_notes(files: FilePlan) -> list[str]:
    """Samples of chroma stand for several pixels, all of which must be there."""
    layout, pixels = files.layout, files.target.layout
    sides = zip(files.asked_size, (layout.width, layout.height), (pixels.sub_w, pixels.sub_h), strict=True)
    return [
        f"a side of {asked} pixels becomes {side}: {ffmpeg_name(pixels)} needs multiples of {1 << shift}"
        for asked, side, shift in sides
        if asked not in (None, side)
    ]


def _conversion_notes(source: PixelFormat, result: PixelFormat) -> list[str]:
    """What --pix-fmt takes from the picture."""
    notes = []
    if result.family == "gray" and source.family != "gray":
        notes.append("the colour is dropped: a gray result was asked for")
    elif (result.sub_w, result.sub_h) > (source.sub_w, source.sub_h) or result.sub_h > source.sub_h:
        notes.append(f"chroma loses resolution: {ffmpeg_name(source)} becomes {ffmpeg_name(result)}")
    if result.depth < source.depth:
        notes.append(f"{source.depth} bits become {result.depth}: gradients get coarser; --dither ordered softens that")
    if source.alpha and not result.alpha:
        notes.append("the alpha channel is dropped, as a format without one was asked for")
    elif result.alpha and not source.alpha:
        notes.append("the source has no alpha channel: all of the result is opaque")
    return notes
