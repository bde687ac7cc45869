"""What to do about a file that failed, by its exit code; its reason says what is wrong with just this one."""

from __future__ import annotations

from rfdn_video.errors import DeviceError, InputError, ModelError, OutputError, UsageError, VerificationError

__all__ = ["advice"]

_ADVICE = {
    UsageError.exit_code: "Change the options and start the batch again.",
    InputError.exit_code: "Replace the source, or leave it out with --exclude; --salvage takes what is left of a "
    "cut-off file. The next batch tries it again.",
    OutputError.exit_code: "Make room at the destination, or allow what the reason names. The next batch goes on from "
    "what is finished.",
    ModelError.exit_code: "Give other weights with -w, or install again: rfdn-video doctor tells which are damaged.",
    DeviceError.exit_code: "See whether the device works: rfdn-video doctor. --device cpu does without it. The next "
    "batch tries the file again.",
    VerificationError.exit_code: "The result was thrown away, the source is as it was. If it fails again, look into "
    "the health of disk and memory, and report it.",
}
_UNKNOWN = "Start the batch with -v for the details, and report it."


def advice(exit_code: int) -> str:
    """One or two sentences."""
    return _ADVICE.get(exit_code, _UNKNOWN)
