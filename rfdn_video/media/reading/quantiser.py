"""How strongly a video was compressed: the quantiser of its blocks, as its bitstream says."""

from __future__ import annotations

import struct
from itertools import islice

import av
import numpy as np

from rfdn_video.media.reading.info import MediaInfo
from rfdn_video.media.reading.sampling import moments, pictures_from

__all__ = ["mean_qp"]

PICTURES = 12
"""At each moment: predicted pictures, of which most of a video consists, have other quantisers than key pictures."""

_HEADER = struct.Struct("@INNii")  # AVVideoEncParams: nb_blocks, blocks_offset, block_size, type, qp
_H264 = 1  # AV_VIDEO_ENC_PARAMS_H264
_DELTA = 16  # of delta_qp in AVVideoBlockParams, behind src_x, src_y, w and h


def mean_qp(info: MediaInfo) -> float | None:
    """The mean luma quantiser of pictures here and there.

    On the scale of 8-bit H.264 (ITU-T H.264, 7.4.5): 0 is hardly any loss, 51 the most; six more double the step.
    x264's CRF comes out a few above itself. None where FFmpeg does not tell it: for all codecs but H.264.
    """
    if info.video.codec != "h264":
        return None
    means = [
        qp
        for moment in moments(info)
        for picture in islice(pictures_from(info, moment, {"export_side_data": "venc_params"}), PICTURES)
        if (qp := _qp_of(picture)) is not None
    ]
    if not means:
        return None
    return float(np.mean(means)) - 6 * (info.video.format.depth - 8)  # FFmpeg counts from QP'Y of 0


def _qp_of(picture: av.VideoFrame) -> float | None:
    """The mean over a picture's blocks."""
    said = picture.side_data.get("VIDEO_ENC_PARAMS")
    if said is None:
        return None
    data = bytes(said)
    count, offset, size, kind, qp = _HEADER.unpack_from(data)
    if kind != _H264 or not count:
        return None
    blocks = np.ndarray((count,), np.int32, data, offset + _DELTA, (size,))
    return float(qp + blocks.mean())
