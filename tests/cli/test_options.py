"""What a command line comes to, and what is said of one that cannot be meant; nothing is begun here."""

from __future__ import annotations

import pytest

from rfdn_video.cli.main import main

BATCH = ["batch", "in", "-o", "out"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([*BATCH, "--serve", "foo"], "argument --serve: 'foo' is no address; give PORT, or HOST:PORT, such as 8080"),
        (["batch", "status", "out", "--serve", "1:2:x"], "argument --serve: '1:2:x' is no address; give PORT"),
        (["a.mp4", "-s", "two"], "argument -s/--scale: scale 'two' is no factor; give 2, 3, 1.5 or 3/2"),
        (["a.mp4", "--start", "1:2:3:4"], "argument --start: '1:2:3:4' is no time; give seconds (90.5) or"),
        *(
            ([*words, value], f"argument {words[-1]}: {value!r} is no time to wait; give seconds, 0 or more")
            for words in (["a.mp4", "--stall-timeout"], [*BATCH, "--stall-timeout"], [*BATCH, "--settle"])
            for value in ("-3", "nan", "inf", "long")
        ),
    ],
)
def test_a_value_that_is_not_allowed(capsys: pytest.CaptureFixture[str], words: list[str], complaint: str) -> None:
    """In our own words, one line."""
    assert main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"rfdn-video: {complaint}")
    assert len(error.splitlines()) == 1
