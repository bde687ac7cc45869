"""A film on a Ray cluster, from its plan to its summary."""

from __future__ import annotations

import ray

from rfdn_video.cluster.connect import share_of
from rfdn_video.cluster.film import OnFrame, enlarge_on_cluster
from rfdn_video.cluster.scheduling import Crew
from rfdn_video.plan import FilePlan
from rfdn_video.settings import Settings
from rfdn_video.summary import Summary
from rfdn_video.watchdog import patience

__all__ = ["run_on_ray"]


def run_on_ray(
    files: FilePlan, settings: Settings, stall_timeout: float | None, on_frame: OnFrame, on_reused: OnFrame
) -> Summary:
    """Does a film on the cluster that :func:`rfdn_video.cluster.connect.connect` has joined.

    Args:
        files: see :func:`rfdn_video.cluster.film.plan_on_cluster`.
        settings: how.
        stall_timeout: seconds of silence after which a segment is begun a second time; 0 is never, None goes by the
            size of the result.
        on_frame: called with the number of pictures done.
        on_reused: called before with the number of those that an earlier run has done, if any.

    Raises:
        RFDNError: nothing is left under the output's name.
    """
    share = share_of(settings.device, ray.nodes())  # type: ignore[no-untyped-call]
    silence = patience(files.layout.width, files.layout.height, stall_timeout)
    return enlarge_on_cluster(files, settings, share.device, Crew(share, silence), on_frame, on_reused)
