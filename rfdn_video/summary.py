"""What a job has done, and what was wrong or lost on the way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rfdn_video.media.reading.decode import DecodeReport
from rfdn_video.settings import Reuse
from rfdn_video.stages import StageTime

__all__ = ["Summary"]


@dataclass(frozen=True)
class Summary:
    """What was done.

    Attributes:
        output: the finished file; None where it went to standard output.
        frames: how many were written.
        frames_reused: how many of them an earlier run had finished.
        width, height: of the result.
        seconds: from the first decoded frame to the published file.
        verified: the finished file was read back and is as meant (a pipe cannot be).
        recomputed_frames: done again in float32 because half precision gave NaN or infinity.
        tiling: the bands in which frames were done, in words.
        bands: their heights in rows of the result, one a pass; see :mod:`rfdn_video.quality.measure`.
        retries: frames done again in smaller bands because memory was short.
        reuse: as :class:`rfdn_video.Settings` has it.
        repeated_frames: equal to the frame before, whose result they got.
        copied_share: of all rows of all frames, how many were taken from the frame before, 0..1.
        decoding: what was wrong with the source.
        repaired_packets: copied packets whose time was missing or went back, and pieces of sound that could
            not be decoded.
        missing_bytes: how much of the source's end is missing, at least, as its head and tail say.
        dropped: what could not be carried over, in words.
        stages: what each stage did with its time: decode, host (copies between the threads and the
            device's memory; on CUDA also starting its work), the device's upload, network (colour
            included) and download, encode (other streams included), then finish and verify.
    """

    output: Path | None
    frames: int
    frames_reused: int
    width: int
    height: int
    seconds: float
    verified: bool
    recomputed_frames: int
    tiling: str
    bands: tuple[float, ...]
    retries: int
    reuse: Reuse
    repeated_frames: int
    copied_share: float
    decoding: DecodeReport
    repaired_packets: int
    missing_bytes: int
    dropped: tuple[str, ...]
    stages: tuple[StageTime, ...]

    @property
    def fps(self) -> float:
        """Frames a second; those of an earlier run do not count."""
        return (self.frames - self.frames_reused) / self.seconds

    @property
    def bound_by(self) -> StageTime:
        """The stage that worked most of the time: a faster one would make the run faster."""
        return max(self.stages, key=lambda stage: stage.worked)

    @property
    def warnings(self) -> list[str]:
        """What was wrong with the source, and what was lost, in words."""
        decoding = self.decoding
        counts = {
            "or more bytes are missing at the end of the file; what is there was done": self.missing_bytes,
            "damaged packets could not be decoded": decoding.damaged_packets,
            "packets are cut short, as the file ends early; what is there was done": decoding.cut_packets,
            "frames are damaged": decoding.corrupt_frames,
            "frames of another size were rescaled to the first one's": decoding.resized_frames,
            "frames have pixels of another shape than the first, and are shown in its": decoding.reshaped_frames,
            "frames of another pixel format, matrix or range were converted to the first's": decoding.converted_frames,
            "frames among whole ones are interlaced; --deinterlace makes them whole": decoding.interlaced_frames,
            "frames are transparent where the first ones are not, which was dropped": decoding.transparent_frames,
            "timestamps were missing, went back or were far off, and were repaired": decoding.repaired_timestamps,
            "jumps of the recording's clock were closed up": decoding.clock_jumps,
            "packets of sound or subtitles had no time, a time that went back, or were damaged": self.repaired_packets,
            "frames overflowed in half precision and were done again in fp32": self.recomputed_frames,
            "frames did not fit into memory and were done again in smaller bands": self.retries,
        }
        return [f"{count} {what}" for what, count in counts.items() if count] + [
            f"dropped {what}" for what in self.dropped
        ]
