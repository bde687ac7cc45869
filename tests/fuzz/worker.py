"""Runs cases in forks of a process that has loaded everything, and judges what each did."""

from __future__ import annotations

import io
import os
import pickle
import select
import shutil
import signal
import sys
import time
import traceback
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

import torch

import rfdn_video.inference.upscaler
import rfdn_video.pipeline
import rfdn_video.stills  # noqa: F401 (all that a job loads is loaded before the fork)
from rfdn_video.cli.main import main
from tests.fuzz.case import Case

__all__ = ["Verdict", "Worker"]

CODES = (0, 2, 3, 4, 5, 6, 7)  # those of --help, without interruptions
PATIENCE = 60.0
MEMORY = 2 << 30
CASES_PER_WORKER = 200


@dataclass(frozen=True)
class Verdict:
    """What a case did. ``failure`` says what it must not have done, "" where nothing."""

    code: int
    failure: str
    memory: int
    seconds: float


class Worker:
    """A process that runs cases one after another, and is replaced when it dies."""

    def __init__(self, folder: Path, samples: dict[str, bytes], *, patience: float = PATIENCE) -> None:
        self.folder, self._samples, self._patience = folder, samples, patience
        self._process: int | None = None
        self._done = 0

    def run(self, case: Case) -> Verdict:
        """Runs a case in the worker, watching its time and memory."""
        if self._process is None or self._done >= CASES_PER_WORKER:
            self.close()
            self._start()
        self._done += 1
        started, memory = time.monotonic(), 0
        pickle.dump(case, self._to)
        self._to.flush()
        while time.monotonic() - started < self._patience:
            ready, _, _ = select.select([self._from], [], [], 0.02)
            memory = max(memory, self._memory())
            if memory > MEMORY:
                return self._killed(f"took {memory >> 20} MiB of memory", memory, started)
            if ready:
                answer = self._from.readline()
                if not answer:
                    return self._died(memory, started)
                code, failure = eval(answer)  # noqa: S307 (our own fork wrote it)
                return Verdict(code, failure, memory, time.monotonic() - started)
        return self._killed(f"did not end in {self._patience:g} s", memory, started)

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._to.close()
            os.waitpid(self._process, 0)
            self._from.close()
            self._process = None

    def _start(self) -> None:
        (to_read, to_write), (from_read, from_write) = os.pipe(), os.pipe()
        self._process, self._done = os.fork(), 0
        if not self._process:
            os.close(to_write)
            os.close(from_read)
            _work(os.fdopen(to_read, "rb"), os.fdopen(from_write, "wb"), self.folder, self._samples)
        os.close(to_read)
        os.close(from_write)
        self._to, self._from = os.fdopen(to_write, "wb"), os.fdopen(from_read, "rb")

    def _memory(self) -> int:
        try:
            pages = Path(f"/proc/{self._process}/statm").read_text().split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def _died(self, memory: int, started: float) -> Verdict:
        assert self._process is not None
        status = os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])
        self._process = None
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        return Verdict(status, f"the process died: {how}", memory, time.monotonic() - started)

    def _killed(self, why: str, memory: int, started: float) -> Verdict:
        assert self._process is not None
        os.kill(self._process, signal.SIGABRT)
        self._died(memory, started)
        return Verdict(-1, why, memory, time.monotonic() - started)


def _work(requests: BinaryIO, answers: BinaryIO, folder: Path, samples: dict[str, bytes]) -> NoReturn:
    os.dup2(os.open(os.devnull, os.O_RDWR), 2)  # what libav writes itself
    torch.set_num_threads(1)
    sound = folder / "sound"
    shutil.rmtree(folder, ignore_errors=True)
    sound.mkdir(parents=True)
    for name, content in samples.items():
        (sound / name).write_bytes(content)
    while True:
        try:
            case = pickle.load(requests)  # noqa: S301 (our own parent wrote it)
        except EOFError:
            os._exit(0)
        answers.write(repr(_judged(case, folder)).encode() + b"\n")
        answers.flush()


def _judged(case: Case, folder: Path) -> tuple[int, str]:
    """The exit code, and what the case must not have done."""
    source, out = folder / case.name, folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    source.write_bytes(case.harmed)
    said, printed = io.StringIO(), io.StringIO()
    try:
        with redirect_stderr(said), redirect_stdout(printed):
            code = main(case.arguments)
    except SystemExit as error:
        return 1, f"SystemExit {error.code}"
    except BaseException:
        return 1, traceback.format_exc()
    left = [path.name for path in out.iterdir()]
    failure = _failure(code, said.getvalue(), left, source.read_bytes() == case.harmed)
    source.unlink()
    return code, failure


def _failure(code: int, said: str, left: list[str], unchanged: bool) -> str:
    hidden = [name for name in left if name.startswith(".")]
    checks = {
        f"exit code {code} is none that is documented: {said}": code not in CODES,
        f"a traceback: {said}": "Traceback" in said,
        f"{left} is there in spite of exit code {code}: {said}": bool(left) and code != 0,
        f"nothing is there in spite of exit code 0: {said}": code == 0 and not left,
        f"{hidden} was left behind, exit code {code}: {said}": bool(hidden),
        "the source was changed": not unchanged,
        f"exit code {code} without a word": code != 0 and not said.strip(),
    }
    return next((what for what, wrong in checks.items() if wrong), "")


if sys.platform != "linux":
    raise ImportError("the fuzzer reads /proc")
