"""An image run as a container is, without a daemon: root read-only, no network, no privileges, own processes."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SPACES = ("--mount", "--net", "--pid", "--ipc", "--uts")
DEVICES = ("null", "zero", "full", "random", "urandom")


@dataclass(frozen=True)
class Image:
    """What buildah has built, mounted.

    Attributes:
        root: its files.
        config: what Docker's image format says of it: Env, User, Entrypoint, Cmd, Healthcheck ...
    """

    root: Path
    config: dict[str, Any]

    @classmethod
    @contextmanager
    def mounted(cls, name: str) -> Iterator[Image]:
        """For as long as the block lasts."""
        container = _output("buildah", "from", "--pull-never", name)
        try:
            config = json.loads(_output("buildah", "inspect", "--type", "image", name))["Docker"]["config"]
            yield cls(Path(_output("buildah", "mount", container)), config)
        finally:
            _output("buildah", "rm", container)

    @contextmanager
    def running(
        self,
        folder: Path,
        command: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        *,
        entrypoint: Sequence[str] | None = None,
        tmpfs: bool = True,
    ) -> Iterator[Container]:
        """Starts it; what still runs in the end is killed.

        Args:
            folder: its in, out and presets are mounted; all but out read-only.
            command: instead of the image's.
            environment: beside the image's.
            entrypoint: instead of the image's.
            tmpfs: /tmp can be written to.
        """
        words = [*(self.config["Entrypoint"] if entrypoint is None else entrypoint), *(command or self.config["Cmd"])]
        variables = [*self.config["Env"], *(f"{name}={value}" for name, value in (environment or {}).items())]
        script = "\n".join((*self._mounts(folder, tmpfs), shlex.join(["exec", *self._within(words, variables)])))
        process = subprocess.Popen(
            ["unshare", *SPACES, "--fork", "--kill-child", "sh", "-euc", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            container = Container(self, process, variables)
            try:
                while not (container.is_up(words[0]) or process.poll() is not None):
                    time.sleep(0.05)
                yield container
            finally:
                process.kill()

    def _mounts(self, folder: Path, tmpfs: bool) -> Iterator[str]:
        root = shlex.quote(str(self.root))
        yield "ip link set lo up"
        yield "mount --make-rprivate /"
        yield f"mount --bind {root} {root}"
        yield f"mount -t proc proc {root}/proc"
        yield f"mount -t tmpfs -o mode=755 tmpfs {root}/dev; mkdir -m 1777 {root}/dev/shm"  # noqa: S108
        for device in DEVICES:
            yield f"touch {root}/dev/{device}; mount --bind /dev/{device} {root}/dev/{device}"
        if tmpfs:
            yield f"mount -t tmpfs -o mode=1777 tmpfs {root}/tmp"  # noqa: S108
        for name in ("in", "out", "presets"):
            yield f"mount --bind {shlex.quote(str(folder / name))} {root}/{name}"
            if name != "out":
                yield f"mount -o remount,bind,ro {root}/{name}"
        yield f"mount -o remount,bind,ro {root}"

    def _within(self, words: Sequence[str], variables: Sequence[str]) -> list[str]:
        return ["chroot", str(self.root), *self.as_user(words, variables)]

    def as_user(self, words: Sequence[str], variables: Sequence[str]) -> list[str]:
        """The words that run a command in the image's root as its user, in its folder, with no privileges."""
        user, group = self.config["User"].split(":")
        drop = [f"--reuid={user}", f"--regid={group}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all"]
        where = ["env", "-i", f"--chdir={self.config['WorkingDir']}", *variables]
        return ["setpriv", *drop, "--no-new-privs", *where, *words]


@dataclass(frozen=True)
class Container:
    """A running one; ``process`` is outside, and ends as it does."""

    image: Image
    process: subprocess.Popen[str]
    variables: list[str]

    @property
    def pid(self) -> int:
        """Of its first process, as the machine counts."""
        parent = self.process.pid
        return int(Path(f"/proc/{parent}/task/{parent}/children").read_text().split()[0])

    def is_up(self, program: str) -> bool:
        """All is mounted, and the program is its first process."""
        try:
            return Path(f"/proc/{self.pid}/comm").read_text().strip() == program
        except (IndexError, OSError):
            return False

    def stop(self) -> tuple[int, str]:
        """As ``docker stop`` does; gives the exit code and what it said on standard error."""
        os.kill(self.pid, getattr(signal, self.image.config["StopSignal"]))
        return self.wait(30)

    def wait(self, timeout: float = 300) -> tuple[int, str]:
        """Until it ends."""
        _, complaints = self.process.communicate(timeout=timeout)
        return self.process.returncode, complaints

    def is_healthy(self) -> bool:
        """The image's HEALTHCHECK, run in the container."""
        kind, *words = self.image.config["Healthcheck"]["Test"]
        assert kind == "CMD"
        return self.execute(*words).returncode == 0

    def execute(self, *words: str) -> subprocess.CompletedProcess[str]:
        """As ``docker exec`` does."""
        enter = ["nsenter", f"--target={self.pid}", *SPACES, "--root", "--wd=/"]
        command = [*enter, *self.image.as_user(words, self.variables)]
        return subprocess.run(command, capture_output=True, text=True, check=False)


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
