"""``rfdn-video eval``: PSNR and SSIM of weights, bicubic and Lanczos on a folder of images."""

from __future__ import annotations

import argparse
import json
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rfdn_video.cli.console import counted
from rfdn_video.errors import ModelError, UsageError

if TYPE_CHECKING:
    import torch

    from rfdn_video.models.weights import Weights
    from rfdn_video.training.evaluate import Pair
    from rfdn_video.training.tables import Result

__all__ = ["EXAMPLES", "add_arguments", "execute"]

EXAMPLES = """\
examples:
  rfdn-video eval Set5/ -s 2                      bicubic, Lanczos and all bundled weights
  rfdn-video eval Set5/ -s 4 -w net.pth --markdown
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("folder", type=Path, help="holds HR/ and LR/, or original images alone")
    parser.add_argument("-s", "--scale", type=int, choices=(2, 3, 4), required=True, help="factor of the networks")
    parser.add_argument(
        "-w", "--weights", type=Path, nargs="+", action="extend", default=[], metavar="FILE", help="try these"
    )
    parser.add_argument("--tune", choices=("clean", "light", "video"), help="try the bundled weights for this")
    parser.add_argument("--self-ensemble", action="store_true", help="mean over the 8 flips and turns; 8x slower")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, help="CPU threads for the networks")
    output = parser.add_mutually_exclusive_group()
    output.add_argument(
        "--json", action="store_true", help="print means and each image's scores as JSON; an infinite PSNR is null"
    )
    output.add_argument("--csv", action="store_true", help="print each image's scores as CSV")
    output.add_argument("--markdown", action="store_true", help="print the paper's table, its numbers beside")


def execute(args: argparse.Namespace) -> int:
    """Measures and prints."""
    from rfdn_video.quality.names import distinct_names
    from rfdn_video.training import tables
    from rfdn_video.training.device import pick_device
    from rfdn_video.training.evaluate import find_pairs

    device = pick_device(args.device, args.threads)
    pairs = find_pairs(args.folder, args.scale)
    candidates = _collect_weights(args)
    results = _baselines(pairs, args.scale)
    names = distinct_names([weights.path for weights in candidates])
    for name, weights in zip(names, candidates, strict=True):
        results.append(_try(name, weights, pairs, args.scale, device, args.self_ensemble))
    test_set = tables.set_name(args.folder)
    if args.json:
        content = {"set": test_set, "scale": args.scale, "results": tables.as_dicts(results)}
        print(json.dumps(_without_infinity(content), indent=2))
    elif args.csv:
        print(tables.as_csv(results))
    elif args.markdown:
        print(tables.as_markdown(results, test_set, args.scale))
    else:
        print(f"{test_set} x{args.scale}, {counted(len(pairs), 'image')}")
        print(tables.as_text(results))
    return 0


def _without_infinity(value: Any) -> Any:
    """None in place of the PSNR of images that are equal: JSON has no infinity."""
    if isinstance(value, dict):
        return {name: _without_infinity(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_infinity(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _collect_weights(args: argparse.Namespace) -> list[Weights]:
    """Those asked for; without any, all that are bundled for the scale."""
    from rfdn_video.models.catalog import BUNDLED
    from rfdn_video.models.weights import load_weights

    chosen = [load_weights(path) for path in args.weights]
    for weights in chosen:
        if weights.scale != args.scale:
            raise UsageError(f"{weights.path}: enlarges x{weights.scale}, not x{args.scale}; give -s {weights.scale}")
    if args.tune or not chosen:
        bundled = [b for b in BUNDLED if b.scale == args.scale and args.tune in (None, b.tune)]
        if args.tune and not bundled:
            raise ModelError(f"no weights x{args.scale} for {args.tune!r} are bundled; give a file with -w")
        chosen += [load_weights(b.path, sha256=b.sha256) for b in bundled]
    return chosen


def _baselines(pairs: list[Pair], scale: int) -> list[Result]:
    from rfdn_video.training.evaluate import evaluate, interpolator
    from rfdn_video.training.tables import Result

    bicubic = evaluate("bicubic", interpolator(scale, "bicubic"), pairs, scale)
    lanczos = evaluate("lanczos", interpolator(scale, "lanczos3"), pairs, scale)
    return [Result(bicubic), Result(lanczos)]


def _try(
    name: str, weights: Weights, pairs: list[Pair], scale: int, device: torch.device, self_ensemble: bool
) -> Result:
    from rfdn_video.training.evaluate import evaluate, network_enlarger
    from rfdn_video.training.tables import Result

    network = weights.build().to(device)
    enlarge = network_enlarger(network, weights.pixel_range, device, self_ensemble)
    parameters = sum(p.numel() for p in network.parameters())
    method = f"{weights.network} {name}{'+' if self_ensemble else ''}"
    return Result(evaluate(method, enlarge, pairs, scale), parameters, weights.sha256)
