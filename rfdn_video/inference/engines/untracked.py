"""The package ``openvino``, without the part of it that tells Google Analytics of every import.

It would do so unasked, from a fork of this process, and leave an identifier in the user's home.
"""

from __future__ import annotations

import sys

__all__ = ["openvino"]

_tracker = sys.modules.get("openvino_telemetry")
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # as if it was not installed, which is allowed
try:
    import openvino
finally:
    del sys.modules["openvino_telemetry"]
    if _tracker is not None:  # somebody else's
        sys.modules["openvino_telemetry"] = _tracker
