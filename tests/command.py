"""``rfdn-video`` in a process of its own, forked from one that has imported torch: that alone takes seconds."""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory

__all__ = ["run_forked"]

_PRELOADED = [
    "tests.command",
    "rfdn_video.inference.engines.untracked",
    "rfdn_video.pipeline",
    "rfdn_video.inference.upscaler",
    "rfdn_video.models.catalog",
]


def run_forked(arguments: list[str], folder: str | os.PathLike[str]) -> CompletedProcess[str]:
    """Runs a command line in a folder; what it prints comes back as text."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    with TemporaryDirectory() as printed:
        output, errors = Path(printed, "output"), Path(printed, "errors")
        process = context.Process(target=_run, args=(arguments, folder, dict(os.environ), output, errors))
        process.start()
        process.join()
        code, texts = process.exitcode, [path.read_text() for path in (output, errors)]
    assert code is not None
    return CompletedProcess(["rfdn-video", *arguments], code, *texts)


def _run(
    arguments: list[str], folder: str | os.PathLike[str], environment: dict[str, str], output: Path, errors: Path
) -> None:
    from rfdn_video.cli.main import run

    for stream, path in ((sys.stdout, output), (sys.stderr, errors)):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(handle, stream.fileno())
        os.close(handle)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["rfdn-video", *arguments]
    run()
