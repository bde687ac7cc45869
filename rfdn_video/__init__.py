"""rfdn-video: makes a video larger and sharper with RFDN / E-RFDN.

Names are loaded when first used: ``import rfdn_video`` imports neither torch nor av.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from rfdn_video.errors import RFDNError as RFDNError
    from rfdn_video.frame import Color as Color
    from rfdn_video.frame import Frame as Frame
    from rfdn_video.frame import PixelFormat as PixelFormat
    from rfdn_video.inference.upscaler import Upscaler as Upscaler
    from rfdn_video.inference.vectors import suit_vectors as suit_vectors
    from rfdn_video.media.color import decide_color as decide_color
    from rfdn_video.media.reading.info import MediaInfo as MediaInfo
    from rfdn_video.media.reading.probe import probe as probe
    from rfdn_video.models.weights import Weights as Weights
    from rfdn_video.models.weights import load_weights as load_weights
    from rfdn_video.pipeline import upscale_video as upscale_video
    from rfdn_video.settings import Settings as Settings
    from rfdn_video.summary import Summary as Summary

_HOMES = {
    "Color": "rfdn_video.frame",
    "Frame": "rfdn_video.frame",
    "MediaInfo": "rfdn_video.media.reading.info",
    "PixelFormat": "rfdn_video.frame",
    "RFDNError": "rfdn_video.errors",
    "Settings": "rfdn_video.settings",
    "Summary": "rfdn_video.summary",
    "Upscaler": "rfdn_video.inference.upscaler",
    "Weights": "rfdn_video.models.weights",
    "decide_color": "rfdn_video.media.color",
    "load_weights": "rfdn_video.models.weights",
    "probe": "rfdn_video.media.reading.probe",
    "suit_vectors": "rfdn_video.inference.vectors",
    "upscale_video": "rfdn_video.pipeline",
}

__all__ = [
    "Color",
    "Frame",
    "MediaInfo",
    "PixelFormat",
    "RFDNError",
    "Settings",
    "Summary",
    "Upscaler",
    "Weights",
    "decide_color",
    "load_weights",
    "probe",
    "suit_vectors",
    "upscale_video",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
