"""``rfdn-video export``: a network as an ONNX file, for ONNX Runtime, OpenVINO, vs-mlrt and others."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from rfdn_video.cli.models import parse_size
from rfdn_video.errors import ModelError, OutputError, UsageError

__all__ = ["EXAMPLES", "add_arguments", "execute"]

EXAMPLES = """\
examples:
  rfdn-video export net.onnx                      the bundled weights for video, any size
  rfdn-video export net.onnx -s 4 --tune clean
  rfdn-video export net.onnx -w my.pth --size 1280x720 --precision fp16
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of the command."""
    parser.add_argument("output", type=Path, metavar="NET.onnx", help="the file to write")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("-w", "--weights", type=Path, metavar="FILE", help=".safetensors or .pth")
    source.add_argument("--tune", choices=("video", "light", "clean"), default="video", help="of the bundled weights")
    parser.add_argument(
        "-s", "--scale", type=int, choices=(2, 3, 4), help="of the bundled weights (default: 2); -w FILE has its own"
    )
    parser.add_argument("-m", "--model", default="e-rfdn", help="network of the bundled weights (default: e-rfdn)")
    parser.add_argument(
        "--size",
        metavar="WxH",
        help="of the pictures, one at a time (default: any number, of any size from 15 pixels a side on)",
    )
    parser.add_argument("--precision", choices=("fp32", "fp16"), default="fp32", help="of the network and its pictures")
    parser.add_argument("-y", "--overwrite", action="store_true", help="replace the file if it exists")
    parser.add_argument("-v", "--verbose", action="store_true", help="tracebacks")


def execute(args: argparse.Namespace) -> int:
    """Writes the file: RGB [N, 3, H, W] of 0..1 in, the same enlarged out."""
    if find_spec("onnx") is None:
        raise UsageError("export needs the package onnx; pip install 'rfdn-video[onnx]'")
    if args.weights is not None and args.scale is not None:
        raise UsageError("--scale is of the bundled weights; leave it away, the scale of --weights is in the file")
    size = None if args.size is None else parse_size(args.size)
    from rfdn_video.inference.fusion import fuse
    from rfdn_video.models.catalog import load_bundled
    from rfdn_video.models.onnx_graph import onnx_model
    from rfdn_video.models.weights import load_weights

    scale = args.scale or 2
    weights = load_bundled(args.model, args.tune, scale) if args.weights is None else load_weights(args.weights)
    if args.weights is None and weights.scale != scale:
        raise ModelError(f"no weights x{scale} of {args.model} for {args.tune!r} are bundled; give a file with -w")
    model = onnx_model(fuse(weights), size=size, half=args.precision == "fp16")
    _write(args.output, model.SerializeToString(), args.overwrite)
    pictures = "any size" if size is None else f"{size[0]}x{size[1]}"
    print(f"wrote {args.output}: {weights.network} x{weights.scale}, {args.precision}, {pictures}, RGB 0..1")
    return 0


def _write(path: Path, content: bytes, overwrite: bool) -> None:
    try:
        with path.open("wb" if overwrite else "xb") as file:
            file.write(content)
    except FileExistsError:
        raise OutputError(f"{path}: exists already; give another name, or -y to replace it") from None
    except OSError as error:
        raise OutputError(f"{path}: cannot write it: {error.strerror}") from None
