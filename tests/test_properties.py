"""What holds for any timestamps, any frame and band, any colour: found wrong by hypothesis, or not at all."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rfdn_video.frame import ChromaLocation, Color, Matrix, PixelFormat
from rfdn_video.inference.bands import BandedRFDN
from rfdn_video.inference.colorspace import PlanesToRGB, RGBToPlanes
from rfdn_video.media.timing import TimestampRepair
from rfdn_video.models.rfdn import RFDN, RFDNConfig

CPU = torch.device("cpu")
TICKS = st.integers(-(2**62), 2**62)
STAMPS = st.lists(st.tuples(st.none() | TICKS | st.integers(-50, 50), st.integers(0, 50)), max_size=40)
# What a file leaves open is decided before anything is computed.
MATRICES = [matrix for matrix in Matrix if matrix not in (Matrix.RGB, Matrix.UNSPECIFIED)]
LOCATIONS = [location for location in ChromaLocation if location is not ChromaLocation.UNSPECIFIED]


@pytest.mark.fault(20, 22)
@given(stamps=STAMPS, usual=st.integers(1, 10**6))
def test_times_grow_and_good_ones_stay(stamps: list[tuple[int | None, int]], usual: int) -> None:
    """Each later than the one before, and its own wherever neither the one before nor the next forbids that.

    One that is a little late goes half a picture on, any other a whole one, one that is far too late for the next
    into the middle of its neighbours; all are counted.
    """
    repair = TimestampRepair(usual)
    given_out = [pts for _, pts in repair.timed((None, *stamp) for stamp in stamps)]
    assert len(given_out) == len(stamps)
    assert all(a < b for a, b in pairwise(given_out))
    derived = 0
    for i, (pts, _) in enumerate(stamps):
        following = stamps[i + 1][0] if i + 1 < len(stamps) else None
        if pts is not None and (i == 0 or pts > given_out[i - 1]):
            before = given_out[i - 1] if i else (following or 0) - 2 * usual
            if following is not None and before + 1 < following and 2 * following < pts + before:
                assert given_out[i] == (before + following) // 2
                derived += 1
            else:
                assert given_out[i] == pts
        else:
            derived += 1
            late = pts is not None and i and given_out[i - 1] - pts < 12 * usual
            step = (stamps[i - 1][1] or usual) if i else 0
            assert given_out[i] == (given_out[i - 1] + (max(1, step // 2) if late else step) if i else 0)
    assert repair.repaired == derived


@pytest.mark.fault(19)
@given(stamps=st.lists(TICKS, unique=True).map(sorted))
def test_times_that_grow_are_not_touched(stamps: list[int]) -> None:
    repair = TimestampRepair(1)
    assert [pts for _, pts in repair.timed((None, pts, 0) for pts in stamps)] == stamps
    assert repair.repaired == 0


@pytest.fixture(scope="module")
def network() -> RFDN:
    """Random, tiny, in double precision, with attention that differs from place to place."""
    torch.manual_seed(4)
    network = RFDN(RFDNConfig(2, channels=4, blocks=1, distilled=2))
    for name, parameter in network.named_parameters():
        if ".esa." in name:
            parameter.data *= 3
    return network.to(torch.float64, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


@pytest.mark.fault(51)
@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 70), width=st.integers(1, 40), band=st.integers(1, 80), seed=st.integers(0, 99))
@torch.inference_mode()
def test_bands_are_the_frame(network: RFDN, height: int, width: int, band: int, seed: int) -> None:
    """Any frame in any bands: every row once, with all that it depends on, so equal to the whole."""
    picture = torch.rand(1, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    banded = BandedRFDN(network, width, height, band)(picture)
    whole = network(picture)
    assert banded.shape == whole.shape
    assert (banded - whole).abs().max() <= 1e-9


@pytest.mark.fault(43, 44, 46, 47)
@settings(max_examples=100, deadline=None)
@given(
    depth=st.sampled_from((8, 10, 12)),
    sub=st.sampled_from(((0, 0), (1, 0), (1, 1))),
    matrix=st.sampled_from(MATRICES),
    full=st.booleans(),
    location=st.sampled_from(LOCATIONS),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    shares=st.tuples(*[st.floats(0, 1)] * 3),
)
def test_any_colour_comes_back(
    depth: int,
    sub: tuple[int, int],
    matrix: Matrix,
    full: bool,
    location: ChromaLocation,
    size: tuple[int, int],
    shares: tuple[float, float, float],
) -> None:
    """A surface of any three code values, those outside of RGB too, to RGB and back: within one code."""
    layout, color = PixelFormat("yuv", depth, *sub), Color(matrix, full_range=full, chroma_location=location)
    codes = [round(share * ((1 << depth) - 1)) for share in shares]
    planes = [
        torch.from_numpy(np.full(plane, code, layout.dtype))
        for plane, code in zip(layout.plane_sizes(*size), codes, strict=True)
    ]
    rgb = PlanesToRGB(layout, color, *size, CPU)(planes)
    for got, want in zip(RGBToPlanes(layout, color, *size, CPU)(rgb), planes, strict=True):
        assert (got.int() - want.int()).abs().max() <= 1
