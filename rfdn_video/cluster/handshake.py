"""Machines that work on one film must give the same pictures: they are asked what they work with before they do."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

import rfdn_video
from rfdn_video.errors import UsageError
from rfdn_video.fingerprint import conditions, differences
from rfdn_video.media.encoding.builds import LibavBuild
from rfdn_video.media.encoding.target import Target
from rfdn_video.models.weights import Weights
from rfdn_video.pipeline import Job

__all__ = ["check_same", "job_on_cluster", "tools"]


@cache
def code_digest(package: Path = Path(rfdn_video.__file__).parent) -> str:
    """BLAKE2b of the package's Python files: a version number says nothing of what was changed by hand."""
    digest = hashlib.blake2b(digest_size=6)
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def tools(target: Target, weights: Weights) -> dict[str, str]:
    """What driver and workers must have in common; names in a user's words."""
    return {
        "rfdn-video": f"{version('rfdn-video')}, code {code_digest()}",
        "FFmpeg": target.build.version,
        "decoders": LibavBuild.version,
        "weights": weights.sha256,
    }


def job_on_cluster(job: Job, pictures: int) -> dict[str, str]:
    """What workers must have in common: that, and all that decides about the pictures they give."""
    found = conditions(job.files, job.upscaler, job.settings, str(job.tiling), pictures)
    segments = {"segment_frames": f"{pictures}, by time (--ray)"}
    return {**found, **tools(job.files.target, job.upscaler.weights), **segments}


def check_same(before: Mapping[str, str], now: Mapping[str, str], who: str) -> None:
    """Refuses a worker of another kind.

    Args:
        before: what is expected.
        now: what the worker has; more does not matter.
        who: the worker, in words.

    Raises:
        UsageError: names all that differs.
    """
    if changed := differences(before, {name: now[name] for name in before if name in now}):
        raise UsageError(f"{who} differs in {', '.join(changed)}; give all machines the same, or keep it out")
