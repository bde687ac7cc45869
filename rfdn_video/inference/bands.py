"""A network with ESA attention, run in bands of rows that carry their context: equal to the whole frame.

Every operation of such a network is local. Each 3x3 convolution keeps the two rows above that it
needs again, what runs ahead waits in a queue, and ESA's coarse grid is computed in coordinates of
the whole frame. Nothing is computed twice, and memory grows with width x band, not with the height.
See docs/tiling.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rfdn_video.inference.esa_bands import ESABands
from rfdn_video.inference.rows import BandGrid, Read, RowContext, RowQueue, grow, meet, new_rows
from rfdn_video.models.blocks import ESA_MIN_SIZE, RFDB, SLOPE
from rfdn_video.models.rfdn import RFDN

__all__ = ["BandedRFDN"]


class _Conv:
    """A padded 3x3 convolution of rows."""

    def __init__(self, conv: nn.Conv2d, scratch: Tensor, delay: int, grid: BandGrid) -> None:
        self._conv, self._grid, self.delay = copy(conv), grid, delay + 1
        self._conv.padding = (0, 1)  # rows above and below are the context
        self._context = RowContext(scratch, 2, delay, grid)
        self.needed = range(0)

    def begin(self, needed: range) -> None:
        """Starts a frame of which ``needed`` rows are wanted."""
        self._context.reset()
        self.needed = needed

    def feed(self, step: int) -> Tensor:
        """The view that takes the rows of the input."""
        return self._context.open(step)

    def run(self, step: int) -> Tensor | None:
        """The rows of the output, which lag one more; None where none of them is needed."""
        rows, result = self._grid.rows(step, self.delay), None
        if meet(rows, self.needed):
            around = self._context.view(range(rows.start - 1, rows.stop + 1))
            result = self._conv(around)
        self._context.close()
        return result

    def step(self, step: int, x: Tensor | None) -> Tensor | None:
        """Rows in, rows out."""
        if x is None and not self.wants(step):
            return None
        target = self.feed(step)
        if x is not None:
            target.copy_(x)
        return self.run(step)

    def wants(self, step: int) -> bool:
        """Whether any row of the output is needed."""
        return bool(meet(self._grid.rows(step, self.delay), self.needed))

    def centre(self, step: int) -> Tensor:
        """The input at the rows of the output."""
        return self._context.view(self._grid.rows(step, self.delay))


def _act_into(x: Tensor, target: Tensor) -> None:
    torch.ops.aten.leaky_relu.out(x, SLOPE, out=target)


class _Block:
    """One :class:`RFDB` with ESA. ``delay`` is that of its output."""

    def __init__(self, block: nn.Module, scratch: list[Tensor], joined: Tensor, delay: int, grid: BandGrid) -> None:
        assert isinstance(block, RFDB)
        assert block.esa is not None
        self._grid, self._residual, self._fuse = grid, block.residual, block.c5
        names = ("c1_r", "c2_r", "c3_r", "c4")
        self._convs = [_Conv(getattr(block, n), scratch[i % 2], delay + i, grid) for i, n in enumerate(names)]
        self._distil = [getattr(block, f"c{i}_d") for i in (1, 2, 3)] if block.distilled else []
        self._waiting = [RowQueue() for _ in self._distil]
        self._joined, self._delay = joined, delay
        self._esa = ESABands(block.esa, delay + 4, grid, scratch[0])
        self.delay = self._esa.delay

    def begin(self, needed: range) -> range:
        """Starts a frame of which ``needed`` rows are wanted; gives those that it takes."""
        for queue in self._waiting:
            queue.clear()
        needed = self._esa.begin(needed)
        for conv in reversed(self._convs):
            conv.begin(needed)
            needed = grow(needed, 1, self._grid.height)
        return needed

    def step(self, step: int, x: Tensor | None) -> Tensor | None:
        """Rows in, rows out."""
        fused = self._body(step, x)
        return self._esa.step(step, fused)

    def _body(self, step: int, x: Tensor | None) -> Tensor | None:
        for index, conv in enumerate(self._convs):
            if x is None and not conv.wants(step):
                continue
            target = conv.feed(step)
            if x is not None:
                target.copy_(x) if index == 0 else _act_into(x, target)
                if index < len(self._distil):
                    distilled = F.leaky_relu_(self._distil[index](target), SLOPE)
                    self._waiting[index].put(self._grid.rows(step, self._delay + index), distilled)
            x = conv.run(step)
            if x is not None and self._residual and index < 3:
                x += conv.centre(step)
        return None if x is None else self._join(step, F.leaky_relu_(x, SLOPE))

    def _join(self, step: int, last: Tensor) -> Tensor:
        """``c5(cat(distilled))``."""
        if self._waiting:
            rows, width = self._grid.rows(step, self._delay + 4), last.shape[1]
            joined = self._joined[:, : 4 * width, : len(rows)]
            for index, queue in enumerate(self._waiting):
                queue.copy(rows, joined[:, index * width : (index + 1) * width])
            joined[:, 3 * width :].copy_(last)
            last = joined
        fused: Tensor = self._fuse(last)
        return fused


class BandedRFDN:
    """Runs an :class:`RFDN` with ESA on pictures of one size, ``band`` rows at a time.

    Args:
        network: on its device, in its number format, channels last or not: its buffers are likewise.
        width, height: of the pictures, 1 or more.
        band: rows a step, 1 or more.

    Its buffers live as long as it does; it does one picture at a time.
    """

    def __init__(self, network: RFDN, width: int, height: int, band: int) -> None:
        self._network, self._width, self._height = network, width, height
        # Pictures too small for ESA are extended by their edge pixels, as the network itself does.
        grid = self._grid = BandGrid(max(height, ESA_MIN_SIZE), band)
        channels, blocks = network.config.channels, network.config.blocks
        image, features = self._scratch(3, 2), [self._scratch(channels, 2) for _ in range(2)]
        joined = self._scratch(max(blocks * channels, 4 * network.config.distilled))
        self._first = _Conv(network.fea_conv, image, 0, grid)
        self._blocks: list[_Block] = []
        for i in range(1, blocks + 1):
            delay = self._blocks[-1].delay if self._blocks else self._first.delay
            self._blocks.append(_Block(network.get_submodule(f"B{i}"), features, joined, delay, grid))
        self._joined, delay = joined, self._blocks[-1].delay
        self._fuse = _Conv(network.LR_conv, features[0], delay, grid)
        # The first features are added at the end: three channels wait and go through fea_conv again,
        # the cheapest of all convolutions, instead of ``channels``.
        self._again = _Conv(network.fea_conv, image, delay, grid)
        last, self._shuffle = network.upsampler
        self._upsample = _Conv(cast(nn.Conv2d, last), features[1], self._fuse.delay, grid)
        self._images, self._outputs = RowQueue(), [RowQueue() for _ in self._blocks]

    def _scratch(self, channels: int, past: int = 0) -> Tensor:
        weight = self._network.fea_conv.weight
        return new_rows(weight, channels, past + self._grid.band, max(self._width, ESA_MIN_SIZE))

    def needed(self, rows: range) -> range:
        """Rows of the picture that ``rows`` of it, enlarged, depend on."""
        return meet(self._begin(rows), range(self._height))

    def __call__(self, image: Tensor) -> Tensor:
        """Enlarges a whole picture [1, 3, H, W] to [1, 3, s*H, s*W], in the network's range and number format."""
        s = self._network.config.scale
        result = image.new_empty((1, 3, s * self._height, s * self._width))
        for rows, band in self.run(lambda wanted: image[:, :, wanted.start : wanted.stop]):
            result[:, :, s * rows.start : s * rows.stop] = band
        return result

    def run(self, read: Read, wanted: range | None = None) -> Iterator[tuple[range, Tensor]]:
        """Enlarges rows of a picture.

        Args:
            read: gives the picture's rows, [1, 3, rows, W], in the network's range and number format.
            wanted: rows of the picture whose enlargement is needed; None is all.

        Yields:
            From top to bottom, rows of the picture and their enlargement [1, 3, s*rows, s*W]; the
            first and the last may hold more than is wanted.
        """
        wanted = range(self._height) if wanted is None else wanted
        taken = self._begin(wanted)
        s, delay = self._network.config.scale, self._upsample.delay
        for step in range(self._grid.step_of(taken.start), self._grid.step_of(wanted.stop - 1, delay) + 1):
            enlarged = self._step(step, self._image(step, read, taken))
            if enlarged is not None:
                rows = meet(self._grid.rows(step, delay), range(self._height))
                yield rows, enlarged[:, :, : s * len(rows), : s * self._width]

    def _begin(self, wanted: range) -> range:
        """Clears the buffers; gives the rows of the extended picture that are needed."""
        height = self._grid.height
        self._images.clear()
        for queue in self._outputs:
            queue.clear()
        self._upsample.begin(wanted)
        self._fuse.begin(grow(wanted, 1, height))
        self._again.begin(self._fuse.needed)
        needed = self._needed = grow(self._fuse.needed, 1, height)
        for block in reversed(self._blocks):
            needed = block.begin(needed)
        self._first.begin(needed)
        return grow(needed, 1, height)

    def _image(self, step: int, read: Read, taken: range) -> Tensor | None:
        """Rows of the picture, extended where it is too small."""
        rows = self._grid.rows(step)
        if not meet(rows, taken):
            return None
        inside = range(min(rows.start, self._height - 1), min(rows.stop, self._height))
        # What lies beyond ``taken`` does not matter, and may not be there.
        asked = meet(inside, taken) or inside
        image = read(asked)
        right, above, below = max(0, ESA_MIN_SIZE - self._width), asked.start - inside.start, rows.stop - asked.stop
        if right or above or below:
            image = F.pad(image, (0, right, above, below), mode="replicate")[:, :, -len(rows) :]
        self._images.put(rows, image)
        return image

    def _step(self, step: int, image: Tensor | None) -> Tensor | None:
        """The network, rows in and rows out; what it keeps lies in its parts."""
        x = self._first.step(step, image)
        for block, queue in zip(self._blocks, self._outputs, strict=True):
            x = block.step(step, x)
            if x is not None:
                queue.put(self._grid.rows(step, block.delay), x)
        rows = self._grid.rows(step, self._blocks[-1].delay)
        x = self._fuse.step(step, self._join(rows) if meet(rows, self._needed) else None)
        first = self._again.step(step, self._waiting_image(rows))
        if x is not None and first is not None:
            x += first
        x = self._upsample.step(step, x)
        return None if x is None else self._shuffle(x)

    def _join(self, rows: range) -> Tensor:
        """``act(c(cat(outputs)))`` at ``rows``."""
        channels = self._network.config.channels
        joined = self._joined[:, : len(self._blocks) * channels, : len(rows)]
        for index, queue in enumerate(self._outputs):
            queue.copy(rows, joined[:, index * channels : (index + 1) * channels])
        return F.leaky_relu_(self._network.c(joined), SLOPE)

    def _waiting_image(self, rows: range) -> Tensor | None:
        if not meet(rows, self._needed):
            return None
        return self._images.copy(rows, self._scratch(3)[:, :, : len(rows)])
