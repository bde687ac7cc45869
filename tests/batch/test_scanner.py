"""What a thread finds is handed on; one that hangs, or fails, holds up nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rfdn_video.batch import scanner as module
from rfdn_video.batch.scanner import Scanner
from rfdn_video.batch.sources import Source
from rfdn_video.errors import InputError

ONE = Source(Path("/a.mp4"), Path(), "a")


def found_soon(scanner: Scanner) -> list[Source]:
    deadline = time.monotonic() + 20
    while not (found := list(scanner.found())) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def test_what_is_found_and_said_comes_to_the_one_that_asks() -> None:
    notes: list[tuple[str, threading.Thread]] = []
    scanner = Scanner(lambda text: notes.append((text, threading.current_thread())))

    def search() -> Iterator[Source]:
        scanner.tell("a note")
        yield ONE

    with scanner.searching(search):
        assert found_soon(scanner) == [ONE]
    assert ("a note", threading.main_thread()) in notes


@pytest.mark.fault(77)
def test_a_search_that_hangs_holds_up_nobody_and_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    answers, notes = threading.Event(), []
    scanner = Scanner(notes.append)

    def search() -> Iterator[Source]:
        answers.wait()  # a network that does not answer
        yield ONE

    with scanner.searching(search):
        for _ in range(2):
            time.sleep(0.3)
            assert list(scanner.found()) == []
        assert len(notes) == 1
        assert "do not answer" in notes[0]
        answers.set()
        assert found_soon(scanner) == [ONE]


def test_what_a_search_raises_comes_to_the_one_that_asks() -> None:
    def search() -> Iterator[Source]:
        yield ONE
        raise InputError("gone")

    scanner = Scanner(pytest.fail)
    with scanner.searching(search):
        time.sleep(0.2)
        with pytest.raises(InputError, match="gone"):
            list(scanner.found())
