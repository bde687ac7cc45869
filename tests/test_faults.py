"""docs/faults.md has a row for every fault, and names the tests that bear its number, no others."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
DOCUMENT = (TESTS.parent / "docs" / "faults.md").read_text()
ROWS = re.findall(r"^\| (\d+) \| [^|]* \| ([^|]*) \| ([^|]*) \|$", DOCUMENT, re.MULTILINE)


def test_every_fault_has_its_row() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, 83))


@pytest.fixture(scope="module")
def bearers() -> dict[int, set[str]]:
    """Tests by the number in ``@pytest.mark.fault(number, ...)`` above them, or of one of their parameters."""
    found: dict[int, set[str]] = defaultdict(set)
    for path in TESTS.rglob("test_*.py"):
        source = path.read_text()
        for test in ast.walk(ast.parse(source)) if "mark.fault" in source else ():
            if isinstance(test, ast.FunctionDef):
                for number in _numbers(test):
                    found[number].add(f"{path.relative_to(TESTS)}::{test.name}")
    return found


def _numbers(test: ast.FunctionDef) -> Iterator[int]:
    for node in (node for decorator in test.decorator_list for node in ast.walk(decorator)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("pytest.mark.fault", "fault"):
            yield from map(ast.literal_eval, node.args)


@pytest.mark.parametrize(("number", "promise", "named"), ROWS, ids=[number for number, _, _ in ROWS])
def test_its_tests_bear_its_number(bearers: dict[int, set[str]], number: str, promise: str, named: str) -> None:
    tests = set(re.findall(r"`([\w/.]+::\w+)`", named))
    assert len(tests) == named.count("::")
    assert tests == bearers.get(int(number), set())
    assert tests or promise.startswith("not yet")
