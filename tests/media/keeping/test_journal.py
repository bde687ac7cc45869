"""What is said of finished work is true: damaged journals are refused, and what was not noted is not promised."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from av.packet import Packet

from rfdn_video.media.keeping import journal as journals
from rfdn_video.media.keeping.journal import JOURNAL, Journal
from rfdn_video.media.keeping.segments import Segments
from rfdn_video.media.keeping.work_folder import WorkFolder, work_folder

SEGMENT = '{"form": 1, "job": {}, "segments": [{"frames": %s, "size": 1, "digest": ""}]}'


@pytest.mark.fault(60)
@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", "[" * 100_000, '{"form": 2}', '{"form": 1, "job": 3, "segments": []}'),
        *(SEGMENT % '"x"', SEGMENT % "-5"),
    ],
    ids=range(8),
)
def test_damaged_ones_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / JOURNAL).write_text(text)
    with pytest.raises(ValueError, match=r"^it|a segment|Expecting"):
        Journal.read(tmp_path)


@pytest.mark.fault(56)
@pytest.mark.parametrize("room", [0, 1])
def test_a_segment_that_could_not_be_noted_is_not_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    """The disk has room for the journal of so many segments."""
    write, left = journals.replace_file, [room]

    def replace_file(path: Path, content: bytes) -> None:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        left[0] -= 1
        write(path, content)

    monkeypatch.setattr(journals, "replace_file", replace_file)
    with WorkFolder(tmp_path / "o.mkv") as work:
        segments = Segments(work, 8, 1, dict)
        with pytest.raises(OSError, match="No space left"):
            for number in range(room + 1):
                _record(segments, number)
        assert segments.frames == 8 * room
    kept = {path.name for path in work_folder(tmp_path / "o.mkv").glob("*.*")}
    assert kept == ({JOURNAL, "000000.packets"} if room else set())


def _record(segments: Segments, number: int) -> None:
    recording, packet = segments.record(number), Packet(b"picture")
    packet.pts = packet.dts = 0
    recording.write(packet)
    segments.finish(number, 8, recording)
