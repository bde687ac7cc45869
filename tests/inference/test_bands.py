"""Bands of rows against the whole frame, the one oracle there is for them."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
import torch
from skimage.io import imread
from torch import Tensor

from rfdn_video import Upscaler, probe
from rfdn_video.inference.bands import BandedRFDN
from rfdn_video.media.reading.decode import Decoder
from rfdn_video.media.timing import TimeRange
from rfdn_video.models.rfdn import RFDN, RFDNConfig
from rfdn_video.models.weights import load_weights

BUNDLED = Path(__file__).parent.parent.parent / "rfdn_video" / "weights" / "e-rfdn_x2_video.safetensors"

CONFIGS = {
    "x2": RFDNConfig(2, channels=12, blocks=2, distilled=6),
    "x3, no SRB": RFDNConfig(3, channels=8, blocks=3, distilled=2, block="fdc"),
    "x4, no distillation": RFDNConfig(4, channels=8, blocks=1, distilled=0, block="srb"),
    "x2, plain": RFDNConfig(2, channels=8, blocks=2, distilled=0, block="base"),
}
SIZES = [(1, 1), (1, 40), (40, 9), (15, 15), (16, 20), (33, 17), (97, 131)]


def _network(config: RFDNConfig, dtype: torch.dtype = torch.float64) -> RFDN:
    """Random, with attention that differs from place to place."""
    torch.manual_seed(1)
    network = RFDN(config)
    for name, parameter in network.named_parameters():
        if ".esa." in name:
            parameter.data *= 3
    return network.to(dtype, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _picture(height: int, width: int, dtype: torch.dtype = torch.float64) -> Tensor:
    generator = torch.Generator().manual_seed(height * 1000 + width)
    return torch.rand(1, 3, height, width, dtype=dtype, generator=generator)


@pytest.fixture(scope="module")
def bundled() -> RFDN:
    network = load_weights(BUNDLED).build()
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


@torch.inference_mode()
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_equals_the_whole_frame(config: RFDNConfig, height: int, width: int) -> None:
    network, picture = _network(config), _picture(height, width)
    expected = network(picture)
    for band in (1, 5, 6, 16, 40, 200):
        if height / band < 20:
            banded = BandedRFDN(network, width, height, band)
            for _ in range(2):  # its buffers serve again
                assert (banded(picture) - expected).abs().max() <= 1e-9, band


@torch.inference_mode()
def test_in_planes_it_equals_the_whole_frame_too() -> None:
    """Not channels last, as the engine winograd has it."""
    network = _network(CONFIGS["x2"]).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    picture = _picture(41, 20)
    expected = network(picture)
    for band in (1, 5, 16, 40):
        banded = BandedRFDN(network, 20, 41, band)
        assert (banded(picture) - expected).abs().max() <= 1e-9, band


@torch.inference_mode()
@pytest.mark.parametrize("pixel_range", [1, 255])
def test_every_band_size(pixel_range: int) -> None:
    network, picture = _network(CONFIGS["x2"]), _picture(41, 20) * pixel_range
    expected = network(picture)
    for band in range(1, 43):
        assert (BandedRFDN(network, 20, 41, band)(picture) - expected).abs().max() <= 1e-9, band


def _assert_alike(banded: Tensor, whole: Tensor) -> None:
    """Pictures on the 0..1 scale: 2e-3 of a code value; rounded to 8 bit one value in 10,000, by 1."""
    assert (banded - whole).abs().max() * 255 <= 2e-3
    a, b = ((picture * 255).clamp(0, 255).round() for picture in (banded, whole))
    assert (a - b).abs().max() <= 1
    assert (a != b).double().mean() <= 1e-4


@torch.inference_mode()
@pytest.mark.parametrize("pixel_range", [1, 255])
def test_single_precision_of_a_real_network(pixel_range: int) -> None:
    network = load_weights(BUNDLED).build()
    network.fea_conv.weight.data /= pixel_range
    for parameter in network.upsampler.parameters():
        parameter.data *= pixel_range
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    picture = _picture(97, 131, torch.float32) * pixel_range
    whole = network(picture)
    for band in (7, 16, 36, 90):
        _assert_alike(BandedRFDN(network, 131, 97, band)(picture) / pixel_range, whole / pixel_range)


@pytest.mark.shared
@pytest.mark.parametrize("band", [12, 50])
def test_the_authors_checkpoint_on_set5(shared: Path, band: int) -> None:
    whole, banded = (
        Upscaler(scale=4, weights=shared / "weights" / "RFDN_AIM.pth", device="cpu", engine="torch", tile=tile)
        for tile in ("off", band)
    )
    assert whole.weights.pixel_range == 255
    paths = sorted((shared / "data" / "Set5" / "x4" / "LR").glob("*.png"))
    assert len(paths) == 5
    for path in paths:
        picture = torch.from_numpy(imread(path)).permute(2, 0, 1).float() / 255
        _assert_alike(banded(picture), whole(picture))


@pytest.mark.slow
@pytest.mark.shared
def test_the_authors_checkpoint_on_a_1080p_frame(shared: Path) -> None:
    weights = load_weights(shared / "weights" / "RFDN_AIM.pth")
    with Decoder(probe(shared / "clips" / "long_1080p_lowbitrate.mp4"), TimeRange(frames=1)) as decoder:
        luma = torch.from_numpy(next(iter(decoder)).planes[0].copy()).float() / 255
    assert luma.shape == (1080, 1920)
    picture = luma.expand(3, -1, -1)
    whole, banded = (
        Upscaler(scale=4, weights=weights, device="cpu", engine="torch", tile=tile)(picture) for tile in ("off", "auto")
    )
    _assert_alike(banded, whole)


@torch.inference_mode()
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(bundled: RFDN, dtype: torch.dtype) -> None:
    """As far from single precision as the whole frame in half precision is."""
    picture = _picture(64, 48, torch.float32)
    exact = bundled(picture)
    half = load_weights(BUNDLED).build().to(dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    whole, banded = (run(picture.to(dtype)).float() for run in (half, BandedRFDN(half, 48, 64, 24)))
    assert (banded - exact).abs().max() <= 1.5 * (whole - exact).abs().max()


@torch.inference_mode()
@pytest.mark.parametrize(("first", "last"), [(0, 1), (150, 151), (170, 230), (399, 400), (0, 400)])
def test_a_part_is_bit_equal(bundled: RFDN, first: int, last: int) -> None:
    """A part of the rows, begun in mid-frame on the same band grid, with nothing but the rows that it needs."""
    picture, wanted = _picture(400, 24, torch.float32), range(first, last)
    banded = BandedRFDN(bundled, 24, 400, 16)
    expected = banded(picture)
    needed = banded.needed(wanted)
    known = torch.full_like(picture, torch.nan)
    known[:, :, needed.start : needed.stop] = picture[:, :, needed.start : needed.stop]
    got = torch.zeros_like(expected)
    reads = []

    def read(rows: range) -> Tensor:
        reads.append(rows)
        return known[:, :, rows.start : rows.stop]

    for rows, band in banded.run(read, wanted):
        got[:, :, 2 * rows.start : 2 * rows.stop] = band
    part = slice(2 * first, 2 * last)
    assert torch.equal(got[:, :, part], expected[:, :, part])
    assert sum(map(len, reads)) < len(needed) + 2 * 16


def test_needed_rows_are_those_that_matter() -> None:
    """By differentiation: no row outside the range matters, and the range is hardly wider than it must be."""
    network, height = _network(RFDNConfig(2, channels=8, blocks=2, distilled=4)), 200
    for name, parameter in network.named_parameters():
        if name.endswith(("conv_max.bias", "conv3.bias")):
            parameter.data += 5  # no dead unit hides a row
    banded = BandedRFDN(network, 20, height, 16)
    pictures = torch.cat([_picture(height, 20 + i)[:, :, :, :20] for i in range(4)]).requires_grad_()
    enlarged = network(pictures)
    for row in (0, 7, 100, 101, 190, 199):
        part = enlarged[:, :, 2 * row : 2 * row + 2].square().sum()
        (gradient,) = torch.autograd.grad(part, pictures, retain_graph=True)
        rows = gradient.abs().amax((0, 1, 3)).nonzero()
        needed, first, last = banded.needed(range(row, row + 1)), int(rows.min()), int(rows.max())
        assert needed.start <= first <= needed.start + 24
        assert needed.stop - 24 <= last + 1 <= needed.stop


def _live_bytes() -> int:
    """Of all tensors there are, each memory once."""
    tensors = [item for item in gc.get_objects() if type(item) is Tensor]
    return sum({t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}.values())


@torch.inference_mode()
def test_memory_does_not_grow_with_the_height(bundled: RFDN) -> None:
    def held(height: int) -> int:
        before, most = _live_bytes(), 0
        banded = BandedRFDN(bundled, 16, height, 16)
        row = torch.rand(1, 3, 1, 16)
        for _ in banded.run(lambda rows: row.repeat(1, 1, len(rows), 1)):
            most = max(most, _live_bytes() - before)
        return most

    # But for where each row lies in the coarse grid: two indices and a weight for each of four blocks.
    assert held(800) - held(400) < 1.01 * 400 * 4 * (8 + 8 + 4)
