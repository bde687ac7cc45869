"""Options by environment variables, through the real command."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from rfdn_video.cli.batch import add_arguments
from rfdn_video.cli.environment import PREFIX, variables
from rfdn_video.cli.main import _command, main
from rfdn_video.cli.parser import Parser

ROOT = Path(__file__).parents[2]

type Parse = Callable[..., dict[str, object]]


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Parse:
    """What a command line comes to with these variables, their names without the prefix."""

    def parse(*words: str, **variables: str) -> dict[str, object]:
        for name, value in variables.items():
            monkeypatch.setenv(PREFIX + name, value)
        parser, _, rest = _command(["batch", *(words or ("in", "-o", "out"))])
        return vars(parser.parse_args(rest))

    return parse


@pytest.mark.parametrize(
    ("variable", "value", "name", "result"),
    [
        ("SCALE", "3/2", "scale", Fraction(3, 2)),
        ("OUTPUT", "there", "output", Path("out")),  # the command line's wins
        ("JOBS", "3", "jobs", 3),
        ("DEINTERLACE", "field", "deinterlace", "field"),
        ("ENCODER_OPT", "tune=film 'x265-params=a=1 b'", "encoder_options", ["tune=film", "x265-params=a=1 b"]),
        ("INCLUDE", "*.mkv", "include", ["*.mkv"]),
        ("WATCH", "1", "watch", True),
        ("WATCH", "no", "watch", False),
        ("OVERWRITE", "True", "overwrite", True),
        ("RESUME", "1", "resume", True),
        ("RESUME", "0", "resume", False),
        ("RESUME", "", "resume", None),
        ("START", "-1", "start", Fraction(-1)),  # a value, though it begins as options do
    ],
)
def test_a_variable_is_an_option(parsed: Parse, variable: str, value: str, name: str, result: object) -> None:
    assert parsed(**{variable: value})[name] == result


def test_the_command_line_wins(parsed: Parse) -> None:
    given = parsed("in", "-o", "out", "-s", "2", "--no-resume", SCALE="3", RESUME="1", CRF="20")
    assert (given["scale"], given["resume"], given["crf"]) == (2, False, 20)


@pytest.mark.parametrize(
    ("words", "variables", "result"),
    [
        (["--height", "90"], {"SCALE": "3"}, {"scale": None, "height": 90}),
        (["--height=90"], {"SCALE": "3", "WIDTH": "90"}, {"scale": None, "width": None, "height": 90}),
        (["-s2"], {"HEIGHT": "90", "SCALE": "3"}, {"scale": 2, "height": None}),
        (["--strict"], {"SALVAGE": "1"}, {"salvage": None, "strict": True}),
        (["--include", "*.mkv"], {"INCLUDE": "*.mp4", "EXCLUDE": "x*"}, {"include": ["*.mkv"], "exclude": ["x*"]}),
        (["--", "--height"], {"SCALE": "3"}, {"scale": 3, "height": None}),
    ],
)
def test_the_command_line_wins_over_what_it_excludes(
    parsed: Parse, words: list[str], variables: dict[str, str], result: dict[str, object]
) -> None:
    given = parsed("-o", "out", "in", *words, **variables)
    assert {name: given[name] for name in result} == result


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_a_wrong_variable_does_not_keep_from_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    monkeypatch.setenv(f"{PREFIX}FOO", "1")
    with pytest.raises(SystemExit, match="0"):
        main(["batch", word])
    assert "RFDN_BATCH_SCALE" in capsys.readouterr().out


def test_the_destination_may_come_from_there(parsed: Parse) -> None:
    assert parsed("in", OUTPUT="there")["output"] == Path("there")


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("SCAEL", "2", "RFDN_BATCH_SCAEL: is no option of rfdn-video batch; did you mean RFDN_BATCH_SCALE?"),
        ("SCALE", "large", "RFDN_BATCH_SCALE: argument -s/--scale: scale 'large' is no factor"),
        ("WATCH", "maybe", "RFDN_BATCH_WATCH 'maybe': 1 or 0 is allowed"),
        ("ENCODER_OPT", "a='b", 'RFDN_BATCH_ENCODER_OPT "a=\'b": No closing quotation'),
        ("VERIFY", "all", "RFDN_BATCH_VERIFY: argument --verify: invalid choice: 'all'"),
        ("HELP", "1", "RFDN_BATCH_HELP: is no option"),
    ],
)
def test_what_is_wrong_with_a_variable_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(PREFIX + variable, value)
    assert main(["batch", "in", "-o", "out"]) == 2
    complaint = capsys.readouterr().err
    assert words in complaint
    assert len(complaint.splitlines()) == 1


@pytest.fixture
def parser() -> Parser:
    parser = Parser(prog="rfdn-video batch")
    add_arguments(parser)
    return parser


def test_every_option_has_a_variable(parser: Parser) -> None:
    names = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    names -= {"--help", "--no-resume"}
    assert set(variables(parser)) == {PREFIX + name[2:].replace("-", "_").upper() for name in names}


def test_the_variables_that_the_documents_name_exist(parser: Parser) -> None:
    text = "".join((ROOT / name).read_text() for name in ("docs/batch.md", "docs/container.md", "README.md"))
    named = set(re.findall(rf"{PREFIX}[A-Z_]+", text))
    assert len(named) > 8
    assert named <= set(variables(parser))
