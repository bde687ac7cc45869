"""``rfdn-video models``: the networks by name, what they cost, and the weights that are bundled."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from rfdn_video.cli.terminal import print_table
from rfdn_video.errors import UsageError

if TYPE_CHECKING:
    from rfdn_video.models.catalog import BundledWeights

__all__ = ["add_arguments", "execute", "parse_size"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument(
        "--size",
        metavar="WxH",
        default="256x256",
        help="size of the input for which multiply-adds and activations are counted (default: 256x256)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def execute(args: argparse.Namespace) -> int:
    """Prints the networks at x2, x3 and x4, and the bundled weights."""
    width, height = parse_size(args.size)
    from rfdn_video.models.catalog import BUNDLED

    networks = _count_networks(width, height)
    bundled = [_bundled_row(weights) for weights in BUNDLED]
    if args.json:
        print(json.dumps({"size": [width, height], "networks": networks, "weights": bundled}, indent=2))
        return 0
    print(f"multiply-adds and activations for an input of {width}x{height}\n")
    print_table(["network", "scale", "parameters", "multiply-adds", "activations"], [_cells(n) for n in networks])
    print("\nbundled weights\n")
    print_table(["network", "scale", "tune", "PSNR on Y", "SHA-256"], [_weights_cells(b) for b in bundled], words=5)
    return 0


def _cells(network: dict[str, Any]) -> list[str]:
    cost = f"{network['multiply_adds'] / 1e9:.2f} G", f"{network['activations'] / 1e6:.2f} M"
    return [network["name"], f"x{network['scale']}", f"{network['parameters']:,}", *cost]


def _weights_cells(weights: dict[str, Any]) -> list[str]:
    psnr = ", ".join(f"{name} {value:.2f} dB" for name, value in weights["psnr_y"].items())
    return [weights["network"], f"x{weights['scale']}", weights["tune"], psnr, weights["sha256"]]


def parse_size(text: str) -> tuple[int, int]:
    """(width, height) of ``"WxH"``; raises UsageError."""
    width, _, height = text.lower().partition("x")
    if not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise UsageError(f"size {text!r}: write WIDTHxHEIGHT in pixels, such as 1280x720")
    if not (0 < int(width) <= 32768 and 0 < int(height) <= 32768):
        raise UsageError(f"size {text}: 1 to 32768 pixels a side are allowed")
    return int(width), int(height)


def _count_networks(width: int, height: int) -> list[dict[str, Any]]:
    from dataclasses import asdict

    from rfdn_video.models.complexity import measure_complexity
    from rfdn_video.models.networks import NETWORKS, network_config

    return [
        {
            "name": name,
            "scale": scale,
            **asdict(measure_complexity(network_config(name, scale), width, height)),
        }
        for name in NETWORKS
        for scale in (2, 3, 4)
    ]


def _bundled_row(weights: BundledWeights) -> dict[str, Any]:
    return {
        "network": weights.network,
        "scale": weights.scale,
        "tune": weights.tune,
        "sha256": weights.sha256,
        "psnr_y": dict(weights.psnr_y),
    }
