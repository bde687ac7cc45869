"""Decoding times as encoders with B-frames count them."""

from __future__ import annotations

import pytest
from av.packet import Packet

from rfdn_video.media.encoding.decoding_times import DecodingTimes


def given(shown: list[int], decoded: list[int], delay: int) -> list[tuple[int, int]]:
    """(pts, dts) of packets with these pts, of which the first ``delay`` come without a dts."""
    times, out = DecodingTimes(), []
    for pts in shown:
        times.show(pts)
    for number, pts in enumerate(decoded):
        packet = Packet(4)
        packet.pts = pts
        out += times.next(packet, is_early=number < delay)
    out += times.flush()
    return [(packet.pts, packet.dts) for packet in out]


@pytest.mark.parametrize(
    ("shown", "decoded", "delay", "dts"),
    [
        ([0, 10, 20, 30], [0, 10, 20, 30], 0, [0, 10, 20, 30]),
        ([0, 10, 20, 30], [0, 30, 10, 20], 1, [-10, 0, 10, 20]),
        ([0, 10, 20, 30, 40], [0, 40, 20, 10, 30], 2, [-20, -10, 0, 10, 20]),
        ([5, 6, 96, 100, 300], [5, 300, 96, 6, 100], 2, [-86, -85, 5, 6, 96]),  # as far apart as pictures are
        ([7], [7], 1, [7]),
        ([7, 9], [7, 9], 2, [5, 7]),  # fewer than the encoder looks ahead
    ],
)
def test_dts(shown: list[int], decoded: list[int], delay: int, dts: list[int]) -> None:
    got = given(shown, decoded, delay)
    assert [pts for pts, _ in got] == decoded
    assert [d for _, d in got] == dts
    assert all(d <= pts for pts, d in got)
