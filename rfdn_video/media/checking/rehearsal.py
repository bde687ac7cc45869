"""Tries an output before any work is done: black pictures are encoded, written, and read back.

What an encoder, a container, or a stream in it is refused for is known to libav alone, some of it only
when the file is finished, and some (such as colour that is not stored) only when it is read again.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from rfdn_video.errors import OutputError, VerificationError
from rfdn_video.media.checking.verify import verify
from rfdn_video.media.encoding.black import black_frames
from rfdn_video.media.encoding.target import Target, container_advice
from rfdn_video.media.layout import VideoLayout
from rfdn_video.media.muxing.mux import Output
from rfdn_video.media.muxing.side_streams import StreamRefusedError, refusal
from rfdn_video.media.muxing.streams import CarriedStream
from rfdn_video.media.reading.info import MediaInfo
from rfdn_video.media.timing import TimeRange

__all__ = ["rehearse"]

PICTURES = 3  # the fewest that every encoder with B-frames gets right


def rehearse(target: Target, layout: VideoLayout, info: MediaInfo, streams: tuple[CarriedStream, ...]) -> None:
    """Writes what is planned in small, into a temporary folder.

    Args:
        target: container and encoder.
        layout: of the video.
        info: the source; of it, nothing is decoded.
        streams: those that go along.

    Raises:
        OutputError: the encoder refuses, the container does not hold the video or its tags, or one of
            the streams; says which, and what to do.
    """
    with TemporaryDirectory(prefix="rfdn-video-") as folder:
        path = Path(folder) / f"rehearsal.{target.container.name}"
        _write_video(path, target, layout, info)
        if streams:
            _declare_streams(path, target, layout, info, streams)


def _write_video(path: Path, target: Target, layout: VideoLayout, info: MediaInfo) -> None:
    output = Output(str(path), target, layout, info, (), TimeRange(frames=PICTURES))
    try:
        for frame in black_frames(target.layout, layout, PICTURES):
            output.write(frame)
        output.close()
    except BaseException:
        output.abort()
        raise
    try:
        verify(path, output.written, target, full=True)
    except VerificationError as error:
        raise OutputError(
            f"{target.container.name} does not keep the video of {target.encoder} whole: in a trial, {error}; "
            f"{container_advice(target)}"
        ) from None


def _declare_streams(
    path: Path, target: Target, layout: VideoLayout, info: MediaInfo, streams: tuple[CarriedStream, ...]
) -> None:
    def accepts(some: tuple[CarriedStream, ...]) -> bool:
        try:
            Output(str(path), target, layout, info, some, TimeRange(frames=PICTURES)).abort()
        except StreamRefusedError:  # it says why
            raise
        except OutputError:
            return False
        return True

    if accepts(streams):
        return
    guilty = next((stream for stream in streams if not accepts((stream,))), None)
    if guilty is not None:
        raise refusal(guilty, target.container.name)
    Output(str(path), target, layout, info, streams, TimeRange(frames=PICTURES))  # only together: as libav says
