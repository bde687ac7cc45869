"""The networks as ONNX graphs, written operator by operator.

No tracer is needed: a network is a dozen operators. The result holds nothing but them, so that
ONNX Runtime, OpenVINO and ncnn all run it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from rfdn_video.models.blocks import CCA, ESA, ESA_MIN_SIZE, IMDB, IMDBR, RFDB, SLOPE
from rfdn_video.models.rfdn import RFDN
from rfdn_video.models.weights import Weights

__all__ = ["onnx_model"]

OPSET = 17  # of 2022: old enough for every runtime in use
IR_VERSION = 8  # that belongs to it
INPUT, OUTPUT = "input", "output"


def onnx_model(weights: Weights, *, size: tuple[int, int] | None = None, half: bool = False) -> onnx.ModelProto:
    """A network as a model with one input and one output, [N, 3, H, W] and [N, 3, s*H, s*W].

    Args:
        weights: of the network; the model has their pixel range.
        size: (width, height) of the pictures; None leaves it open, for pictures of at least
            ``ESA_MIN_SIZE`` pixels a side.
        half: float16 throughout (but the statistics of CCA), input and output too.
    """
    network = weights.build()
    assert isinstance(network, RFDN)
    graph = _Graph(half, size)
    graph.network(network)
    height, width, scale = ("height", "width", None) if size is None else (size[1], size[0], weights.scale)
    larger = ("height_out", "width_out") if scale is None else (scale * size[1], scale * size[0])  # type: ignore[index]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            f"{weights.network}_x{weights.scale}",
            [helper.make_tensor_value_info(INPUT, graph.dtype, [1 if size else "batch", 3, height, width])],
            [helper.make_tensor_value_info(OUTPUT, graph.dtype, [1 if size else "batch", 3, *larger])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="rfdn-video",
    )
    helper.set_model_props(
        model,
        {
            "network": weights.network,
            "scale": str(weights.scale),
            "pixel_range": f"{weights.pixel_range:g}",
            "weights_sha256": weights.sha256,
        },
    )
    onnx.checker.check_model(model)
    return model


class _Graph:
    """Nodes and constants as they come. Every method takes and gives names of values."""

    def __init__(self, half: bool, size: tuple[int, int] | None) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.dtype = TensorProto.FLOAT16 if half else TensorProto.FLOAT
        self._half, self._size = half, size

    def network(self, network: RFDN) -> None:
        """All of it, see :class:`RFDN`."""
        x = first = self.conv(self.padded(INPUT, network), network.fea_conv)
        outputs = []
        for i in range(1, network.config.blocks + 1):
            x = self.block(x, network.get_submodule(f"B{i}"))
            outputs.append(x)
        fused = self.act(self.conv(self.op("Concat", *outputs, axis=1), network.c[0]))
        x = self.op("Add", self.conv(fused, network.LR_conv), first)
        x = self.conv(x, network.upsampler[0])
        x = self.op("DepthToSpace", x, blocksize=network.config.scale, mode="CRD")
        self.nodes.append(helper.make_node("Identity", [self.cropped(x, network)], [OUTPUT]))

    def padded(self, x: str, network: RFDN) -> str:
        """Pictures of a known size that are too small for ESA are extended by their edge pixels."""
        short = self._short(network)
        return self.op("Pad", x, self.integers(0, 0, 0, 0, 0, 0, *short), mode="edge") if any(short) else x

    def cropped(self, x: str, network: RFDN) -> str:
        """And the result is cropped."""
        if self._size is None or not any(self._short(network)):
            return x
        width, height = (network.config.scale * side for side in self._size)
        return self.op("Slice", x, self.integers(0, 0), self.integers(height, width), self.integers(2, 3))

    def _short(self, network: RFDN) -> tuple[int, int]:
        if self._size is None or network.config.attention != "esa":
            return 0, 0
        return max(0, ESA_MIN_SIZE - self._size[1]), max(0, ESA_MIN_SIZE - self._size[0])

    def block(self, x: str, block: nn.Module) -> str:
        """One of the blocks."""
        if isinstance(block, RFDB):
            return self.rfdb(x, block)
        assert isinstance(block, IMDB | IMDBR)
        split = self.imdb_steps(x, block) if isinstance(block, IMDB) else self.imdbr_steps(x, block)
        return self.op("Add", self.conv(self.cca(self.op("Concat", *split, axis=1), block.cca), block.c5), x)

    def rfdb(self, x: str, block: RFDB) -> str:
        """See :class:`RFDB`."""
        distilled = []
        for i in (1, 2, 3):
            if block.distilled:
                distilled.append(self.act(self.conv(x, block.get_submodule(f"c{i}_d"))))
            refined = self.conv(x, block.get_submodule(f"c{i}_r"))
            x = self.act(self.op("Add", refined, x) if block.residual else refined)
        distilled.append(self.act(self.conv(x, block.c4)))
        joined = self.op("Concat", *distilled, axis=1) if len(distilled) > 1 else distilled[0]
        fused = self.conv(joined if block.cca is None else self.cca(joined, block.cca), block.c5)
        return fused if block.esa is None else self.esa(fused, block.esa)

    def imdb_steps(self, x: str, block: IMDB) -> list[str]:
        """The four distilled parts of :class:`IMDB`."""
        parts, sizes = [], self.integers(*block.split)
        for conv in (block.c1, block.c2, block.c3):
            refined = self.act(self.conv(x, conv))
            kept, x = f"{refined}_kept", f"{refined}_rest"
            self.nodes.append(helper.make_node("Split", [refined, sizes], [kept, x], axis=1))
            parts.append(kept)
        return [*parts, self.conv(x, block.c4)]

    def imdbr_steps(self, x: str, block: IMDBR) -> list[str]:
        """The four distilled parts of :class:`IMDBR`."""
        parts = []
        for i in (1, 2, 3):
            parts.append(self.act(self.conv(x, block.get_submodule(f"c{i}_d"))))
            x = self.act(self.conv(x, block.get_submodule(f"c{i}_r")))
        return [*parts, self.conv(x, block.c4)]

    def esa(self, x: str, esa: ESA) -> str:
        """See :class:`ESA`."""
        reduced = self.conv(x, esa.conv1)
        coarse = self.op("MaxPool", self.conv(reduced, esa.conv2), kernel_shape=[7, 7], strides=[3, 3])
        coarse = self.op("Relu", self.conv(coarse, esa.conv_max))
        coarse = self.conv(self.op("Relu", self.conv(coarse, esa.conv3)), esa.conv3_)
        spread = self.resized(coarse, x, channels=esa.conv3_.out_channels)
        mask = self.op("Sigmoid", self.conv(self.op("Add", spread, self.conv(reduced, esa.conv_f)), esa.conv4))
        return self.op("Mul", x, mask)

    def resized(self, coarse: str, like: str, channels: int) -> str:
        """Bilinear, to the size of ``like``."""
        if self._size is not None:
            width, height = (max(side, ESA_MIN_SIZE) for side in self._size)
            size = self.integers(1, channels, height, width)
        else:
            shapes = self.op("Shape", coarse, end=2), self.op("Shape", like, start=2)
            size = self.op("Concat", *shapes, axis=0)
        half_pixel = "pytorch_half_pixel"
        return self.op("Resize", coarse, "", "", size, mode="linear", coordinate_transformation_mode=half_pixel)

    def cca(self, x: str, cca: CCA) -> str:
        """See :class:`CCA`. Half precision cannot hold the sums of a frame."""
        single = self.op("Cast", x, to=TensorProto.FLOAT) if self._half else x
        mean = self.op("ReduceMean", single, axes=[2, 3])
        difference = self.op("Sub", single, mean)
        variance = self.op("ReduceMean", self.op("Mul", difference, difference), axes=[2, 3])
        deviation = self.op("Sqrt", self.op("Add", variance, self.constant(np.array(1e-12, np.float32))))
        contrast = self.op("Add", deviation, mean)
        contrast = self.op("Cast", contrast, to=self.dtype) if self._half else contrast
        factor = self.conv(self.op("Relu", self.conv(contrast, cca.conv_du[0])), cca.conv_du[2])
        return self.op("Mul", x, self.op("Sigmoid", factor))

    def act(self, x: str) -> str:
        """The activation of the trunk."""
        return self.op("LeakyRelu", x, alpha=SLOPE)

    def conv(self, x: str, conv: nn.Module) -> str:
        """A convolution with bias."""
        assert isinstance(conv, nn.Conv2d)
        assert conv.bias is not None
        down, across = conv.padding if isinstance(conv.padding, tuple) else (0, 0)
        weight, bias = (self.weight(tensor) for tensor in (conv.weight, conv.bias))
        shape: dict[str, Sequence[int]] = {"kernel_shape": conv.kernel_size, "strides": conv.stride}
        return self.op("Conv", x, weight, bias, pads=[down, across, down, across], **shape)

    def weight(self, tensor: torch.Tensor) -> str:
        """A constant in the model's number format."""
        return self.constant(tensor.detach().numpy().astype(np.float16 if self._half else np.float32))

    def integers(self, *values: int) -> str:
        """A constant list of int64."""
        return self.constant(np.array(values, np.int64))

    def constant(self, array: np.ndarray) -> str:
        """A constant."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """A node with one output."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name
