"""docs/faults.md has a row for every fault, and the tests that it names exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROWS = re.findall(r"^\| (\d+) \|.*\| ([^|]*) \|$", (TESTS.parent / "docs" / "faults.md").read_text(), re.MULTILINE)


def test_every_fault_has_its_row() -> None:
    assert [int(number) for number, _ in ROWS] == list(range(1, 83))


@pytest.mark.parametrize(("number", "named"), ROWS, ids=[number for number, _ in ROWS])
def test_its_tests_exist(number: str, named: str) -> None:
    tests = re.findall(r"`([\w/.]+)::(\w+)`", named)
    assert len(tests) == named.count("::"), f"fault {number}: {named}"
    assert tests or named.strip() == "-", f"fault {number}: {named}"
    for file, name in tests:
        assert re.search(rf"^def {name}\(", (TESTS / file).read_text(), re.MULTILINE), f"fault {number}: {file}::{name}"
