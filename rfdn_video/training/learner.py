"""One network learning: weights, their moving average, the optimizers and the loss. Knows no files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Adam, Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from rfdn_video.errors import ModelError
from rfdn_video.models.rfdn import RFDN, RFDNConfig
from rfdn_video.models.weights import Weights
from rfdn_video.training.muon import Muon
from rfdn_video.training.recipe import OptimizerKind, Precision, Recipe, Stage

__all__ = ["Learner", "check_start"]

LOSSES = {"l1": F.l1_loss, "l2": F.mse_loss}


class Learner:
    """Takes steps of a recipe.

    In a process group the gradients are means over all processes, so that equal shares of a batch
    in several processes teach what the whole batch teaches in one.

    Args:
        start: weights to start from, of the same network at any scale: the upsampler of another
            scale begins as its nearest neighbour. Their pixel range is kept.

    Raises:
        ModelError: ``start`` is of another network.
    """

    def __init__(self, recipe: Recipe, device: torch.device, start: Weights | None = None) -> None:
        self.recipe, self.device = recipe, device
        self.pixel_range = start.pixel_range if start else 1.0
        torch.manual_seed(recipe.seed)
        self.network = RFDN(recipe.config)
        if start:
            _carry_over(start, self.network)
        self.network.to(device).to(memory_format=torch.channels_last)
        average = get_ema_multi_avg_fn(recipe.ema)  # type: ignore[no-untyped-call]
        self.average = AveragedModel(self.network, multi_avg_fn=average)
        self._parallel: nn.Module = self.network
        if dist.is_initialized():
            self._parallel = DistributedDataParallel(self.network)
        # fp16's gradients would vanish unscaled; scaling those of a bf16 or fp32 stage changes nothing.
        self._scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")
        self._optimizers = self._new_optimizers(recipe.stages[0].optimizer)

    def _new_optimizers(self, kind: OptimizerKind) -> dict[OptimizerKind, Optimizer]:
        parameters = list(self.network.parameters())
        if kind == "adam":
            return {"adam": Adam(parameters)}
        weights = [parameter for parameter in parameters if parameter.dim() > 1]
        biases = [parameter for parameter in parameters if parameter.dim() == 1]
        return {"muon": Muon(weights), "adam": Adam(biases)}

    def step(self, low: Tensor, high: Tensor, number: int) -> Tensor:
        """Learns from one batch.

        Args:
            low: [B, 3, p, p], uint8.
            high: [B, 3, s*p, s*p], uint8.
            number: of the step, from 0; it decides the stage and its learning rate.

        Returns:
            The batch's loss on pixel values of 0..1, a scalar on the device.
        """
        stage, inner = self.recipe.stage_at(number)
        if inner == 0:
            self._optimizers = self._new_optimizers(stage.optimizer)
        loss = self._loss(low.to(self.device, non_blocking=True), high.to(self.device, non_blocking=True), stage)
        self.network.zero_grad()
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        for optimizer in self._optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = stage.lr_at(inner)
            self._scaler.step(optimizer)
        self._scaler.update()
        self.average.update_parameters(self.network)
        return loss.detach()

    def _loss(self, low: Tensor, high: Tensor, stage: Stage) -> Tensor:
        image = (low.float() * (self.pixel_range / 255)).contiguous(memory_format=torch.channels_last)
        half = _half_precision(stage.precision, self.device)
        with torch.autocast(self.device.type, half, enabled=half is not None):
            output = self._parallel(image)
        return LOSSES[stage.loss](output.float() / self.pixel_range, high.float() / 255)

    def averaged(self) -> nn.Module:
        """The network with the averaged weights, in evaluation mode; not to be changed."""
        return self.average.module.eval()

    def is_finite(self) -> bool:
        """Whether all weights and their averages are numbers to go on with."""
        tensors = (*self.network.parameters(), *self.average.module.parameters())
        return all(bool(torch.isfinite(tensor).all()) for tensor in tensors)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on: tensors, numbers and texts only."""
        return {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self._optimizers.items()},
            "scaler": self._scaler.state_dict(),
            "pixel_range": self.pixel_range,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes up where :meth:`state_dict` was called."""
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimizers = self._new_optimizers("muon" if "muon" in state["optimizers"] else "adam")
        for name, optimizer in self._optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        if state["scaler"]:  # it is empty where the training was not on CUDA
            self._scaler.load_state_dict(state["scaler"])
        self.pixel_range = state["pixel_range"]


def _half_precision(precision: Precision, device: torch.device) -> torch.dtype | None:
    """Of the network's passes, or None for fp32."""
    if precision == "auto":
        return torch.float16 if device.type == "cuda" else None
    return torch.bfloat16 if precision == "bf16" else None


def check_start(start: Weights, config: RFDNConfig) -> None:
    """Whether a network can start from these weights; its scale may be another.

    Raises:
        ModelError: they are of another network, be it one whose tensors would fit.
    """
    if replace(start.config, scale=config.scale) != config:
        raise ModelError(
            f"{start.path}: holds {start.network}, {_shape(start.config)}; the recipe wants {_shape(config)}; "
            "start from weights of the same network"
        )


def _shape(config: RFDNConfig) -> str:
    return f"{config.blocks} {config.block} blocks of {config.channels} channels, {config.distilled} distilled"


def _carry_over(start: Weights, network: RFDN) -> None:
    check_start(start, network.config)
    state = {**start.state}
    for name in ("upsampler.0.weight", "upsampler.0.bias"):
        state[name] = _rescale_upsampler(state[name], start.scale, network.config.scale)
    network.load_state_dict(state)


def _rescale_upsampler(tensor: Tensor, source: int, target: int) -> Tensor:
    """[3 * source**2, ...] -> [3 * target**2, ...]: each new sub-pixel starts as the old one at its place."""
    nearest = torch.arange(target) * source // target
    rest = tensor.shape[1:]
    grid = tensor.reshape(3, source, source, *rest)
    return grid[:, nearest][:, :, nearest].reshape(3 * target**2, *rest)
