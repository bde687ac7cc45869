"""A disk or pipe that fails is no fault of the container or the encoder."""

from __future__ import annotations

import errno
import io
from pathlib import Path

import pytest

from rfdn_video.errors import OutputError
from rfdn_video.media.muxing.mux import Output
from rfdn_video.plan import plan_files
from rfdn_video.settings import Settings


class Failing(io.RawIOBase):
    """A file whose every write fails."""

    def __init__(self, number: int) -> None:
        self._error = OSError(number, "as was asked for")

    def writable(self) -> bool:
        return True

    def write(self, _: object) -> int:
        raise self._error


@pytest.mark.parametrize(
    ("number", "is_of_the_disk"), [(errno.ENOSPC, True), (errno.EPIPE, True), (errno.EINVAL, False)]
)
def test_a_header_that_cannot_be_written(shared: Path, number: int, is_of_the_disk: bool) -> None:
    files = plan_files(shared / "clips" / "h264-10bits.mp4", "-", Settings())
    with pytest.raises(OutputError) as caught:
        Output(Failing(number), files.target, files.layout, files.info, (), files.wanted)  # type: ignore[arg-type]
    assert str(caught.value).startswith("the output cannot be written") == is_of_the_disk
    assert ("use --encoder" in str(caught.value)) != is_of_the_disk
