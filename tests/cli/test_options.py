"""What a command line comes to, and what is said of one that cannot be meant; nothing is begun here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rfdn_video.cli.main import _command, main

type Refused = Callable[..., None]

BATCH = ["batch", "in", "-o", "out"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([*BATCH, "--serve", "foo"], "argument --serve: 'foo' is no address; give PORT, or HOST:PORT, such as 8080"),
        (["batch", "status", "out", "--serve", "1:2:x"], "argument --serve: '1:2:x' is no address; give PORT"),
        (["a.mp4", "-s", "two"], "argument -s/--scale: scale 'two' is no factor; give 2, 3, 1.5 or 3/2"),
        (
            ["--deinterlace", "a.mp4"],
            "argument --deinterlace: 'a.mp4': frame and field are allowed; put INPUT before it",
        ),
        (["batch", "in", "-o", "-"], "-o -: a batch writes files, nothing to standard output; give a folder"),
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


@pytest.mark.parametrize(
    ("words", "inputs"),
    [
        (["a.mp4", "--overwrite", "b.mp4"], ["a.mp4", "b.mp4"]),
        (["a.mp4", "-o", "x", "b.mp4", "-s", "3", "c.mp4"], ["a.mp4", "b.mp4", "c.mp4"]),
        (["-o", "x", "--", "-a.mp4", "--overwrite"], ["-a.mp4", "--overwrite"]),
        (["a.mp4", "--", "-b.mp4"], ["a.mp4", "-b.mp4"]),
        (["batch", "a", "-o", "x", "b"], [Path("a"), Path("b")]),
        (["batch", "-o", "x", "--", "a", "-b"], [Path("a"), Path("-b")]),
    ],
)
def test_options_may_stand_between_inputs(words: list[str], inputs: list[object]) -> None:
    parser, _, rest = _command(words)
    given = parser.parse_line(rest)
    assert (given.sources if words[0] == "batch" else given.inputs) == inputs


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["a.mp4", "-s", "2", "b.mp4", "--height", "90"], "argument --height: not allowed with argument -s/--scale"),
        (["batch", "a", "--overwrite", "b"], "the following arguments are required: -o/--output"),
        (["-o", "x"], "the following arguments are required: INPUT"),
        (["a.mp4", "--overwrit", "b.mp4"], "unrecognized arguments: --overwrit b.mp4; did you mean --overwrite?"),
        (["--overwrit", "--", "a.mp4"], "unrecognized arguments: --overwrit; did you mean --overwrite?"),
        (["a.mp4", "--heigh=90"], "unrecognized arguments: --heigh=90; did you mean --height?"),
        (["preview", "a.mp4", "--with", "--tun video"], "unrecognized arguments: --tun video; did you mean --tune?"),
    ],
)
def test_what_stays_refused(refused: Refused, tmp_path: Path, words: list[str], complaint: str) -> None:
    """In any order; no beginning of a name stands for it."""
    (tmp_path / "a.mp4").write_bytes(b"video")
    refused(tmp_path, words, 2, complaint)
