"""What a finished file is told that neither PyAV nor the muxer can be."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.container import OutputContainer
from av.stream import Disposition

from rfdn_video.media.layout import VideoLayout
from rfdn_video.media.matroska import set_display_shape
from rfdn_video.media.quicktime import disable_tracks, set_languages

__all__ = ["Finishing"]


@dataclass(frozen=True)
class Finishing:
    """To be taken from an output while it is open, and applied when it is closed.

    Attributes:
        container: its name.
        shape: of the picture as it is shown, width : height, which Matroska learns from the stream and MP4 from the
            encoder; None where pixels are square.
        languages: of each stream.
        hidden: numbers of subtitles that are not shown unasked. Where all are, the muxer of MP4 has the first ones
            shown; of sound too, which is right: players would play none.
    """

    container: str
    shape: Fraction | None
    languages: list[str | None]
    hidden: list[int]

    @classmethod
    def of(cls, output: OutputContainer, container: str, layout: VideoLayout) -> Finishing:
        """What ``output`` lacks."""
        shape = layout.sample_aspect_ratio * Fraction(layout.width, layout.height)
        return cls(
            container=container,
            shape=None if layout.sample_aspect_ratio == 1 else shape,
            languages=[stream.metadata.get("language") for stream in output.streams],
            hidden=[s.index for s in output.streams.subtitles if not s.disposition & Disposition.default],
        )

    def apply(self, path: Path) -> None:
        """Writes it into the finished file.

        Raises:
            OSError: the disk refuses.
        """
        if self.container == "mov":
            set_languages(path, self.languages)
        if self.container in ("mp4", "mov"):
            disable_tracks(path, self.hidden)
        if self.container in ("mkv", "webm") and self.shape is not None:
            set_display_shape(path, self.shape)
