"""The demo's sound: a plucked tune with a bicycle bell, synthesised."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["RATE", "tune"]

RATE = 44100  # samples a second
STEP = 0.156  # seconds a quaver
MELODY = (72, 76, 79, 83, 81, 79, 76, 79, 84, 83, 79, 76, 77, 79, 76, 72)  # MIDI notes
BASS = ((0, 48), (4, 45), (8, 41), (12, 43))  # quaver, MIDI note


def tune(seconds: float) -> NDArray[np.float32]:
    """Stereo samples [2, seconds * RATE], within -1..1, fading out at the end."""
    mix = np.zeros((2, round(seconds * RATE)))
    for i, note in enumerate(MELODY):
        _add(mix, i * STEP, _pluck(note, 0.9), 0.32, 0.5 + 0.25 * np.sin(i))
    for quaver, note in BASS:
        _add(mix, quaver * STEP, _pluck(note, 1.2), 0.5, 0.5)
        for third in (16, 19, 24):
            _add(mix, quaver * STEP, _pluck(note + third, 1.0), 0.10, 0.35)
    for strike in (0.42, 0.56):
        _add(mix, strike, _bell(), 0.12, 0.2 + strike / 2)
    mix *= np.minimum(1, np.linspace(seconds, 0, mix.shape[1]) / 0.25)
    return np.tanh(mix).astype(np.float32)


def _pluck(note: int, seconds: float) -> NDArray[np.float64]:
    """A string: partials that fade the faster the higher they are, with a soft attack."""
    t = np.arange(round(seconds * RATE)) / RATE
    pitch = 440 * 2 ** ((note - 69) / 12)
    tone = sum(np.sin(2 * np.pi * pitch * k * t) * np.exp(-t * (3 + 2.2 * k)) / k**1.4 for k in range(1, 8))
    return np.asarray(tone * np.minimum(1, t / 0.004))


def _bell() -> NDArray[np.float64]:
    """A struck metal cup: partials that are no multiples of each other."""
    t = np.arange(round(0.6 * RATE)) / RATE
    partials = ((2093, 6), (5120, 9), (5236, 9), (8810, 16))  # Hz, decay
    return np.asarray(sum(np.sin(2 * np.pi * f * t) * np.exp(-t * d) for f, d in partials))


def _add(mix: NDArray[np.float64], start: float, sound: NDArray[np.float64], gain: float, pan: float) -> None:
    """Adds a mono sound at `start` seconds; `pan` is 0 for left and 1 for right."""
    first = round(start * RATE)
    part = sound[: max(0, mix.shape[1] - first)] * gain
    mix[0, first : first + len(part)] += part * np.cos(pan * np.pi / 2)
    mix[1, first : first + len(part)] += part * np.sin(pan * np.pi / 2)
