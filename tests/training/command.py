"""The command line of a training, as its tests give it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from rfdn_video.cli import train


def parse(*arguments: object) -> Namespace:
    """The arguments of ``rfdn-video train``."""
    parser = ArgumentParser()
    train.add_arguments(parser)
    return parser.parse_args([str(argument) for argument in arguments])
