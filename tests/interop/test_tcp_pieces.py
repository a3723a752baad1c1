"""SIP over TCP, however the stream is cut (RFC 3261 §18.3) and kept alive (RFC 5626 §3.5.1)."""

import contextlib
import time
from collections.abc import Generator, Sequence

import pytest

from tests.interop.caller import Dialogue, Line, status
from tests.interop.device import Device

pytestmark = pytest.mark.interop

AT_ONCE = 40  # connections side by side
APART = 0.02  # seconds between two pieces, so that they arrive as two


@contextlib.contextmanager
def lines(device: Device, wanted: int) -> Generator[list[tuple[Line, Dialogue]]]:
    """Connections, and for each a dialogue that is to come."""
    opened = [Line(device.port) for _ in range(wanted)]
    try:
        yield [(line, Dialogue(device.port, line.own, transport="TCP")) for line in opened]
    finally:
        for line in opened:
            line.close()


def finish(line: Line, dialogue: Dialogue) -> None:
    """Whatever came before, the call is answered, and ends."""
    assert dialogue.take(line.final()) == 200
    line.send(dialogue.ack() + dialogue.bye())
    assert dialogue.take(line.final()) == 200


def test_an_invite_cut_at_every_byte(demo: Device, figures: dict[str, str]) -> None:
    """Each cut in a connection of its own; the rest follows when the first part has been read."""
    with lines(demo, 1) as [(_, dialogue)]:
        size = len(dialogue.invite())
    cuts = range(1, size)
    began = time.monotonic()
    for first in range(0, len(cuts), AT_ONCE):
        call_with_cuts(demo, cuts[first : first + AT_ONCE])
    figures["an INVITE cut at every byte"] = f"{size} calls in {time.monotonic() - began:.1f} s"

    demo.wait_idle()


def call_with_cuts(device: Device, cuts: Sequence[int]) -> None:
    with lines(device, len(cuts)) as callers:
        for (line, dialogue), cut in zip(callers, cuts, strict=True):
            line.send(dialogue.invite()[:cut])
        time.sleep(APART)
        for (line, dialogue), cut in zip(callers, cuts, strict=True):
            line.send(dialogue.invite()[cut:])
        for line, dialogue in callers:
            finish(line, dialogue)


def test_a_call_byte_by_byte(demo: Device) -> None:
    with lines(demo, 1) as [(line, dialogue)]:
        for byte in dialogue.invite():
            line.send(bytes([byte]))
        assert dialogue.take(line.final()) == 200
        for byte in dialogue.ack() + dialogue.bye():
            line.send(bytes([byte]))
        assert dialogue.take(line.final()) == 200

    demo.wait_idle()


def test_several_messages_in_one_segment(demo: Device) -> None:
    """Two calls and a question between them, told in one breath; then both ends."""
    with lines(demo, 1) as [(line, one)]:
        other = Dialogue(demo.port, line.own, transport="TCP")
        asking = Dialogue(demo.port, line.own, transport="TCP")
        line.send(one.invite() + asking.options() + other.invite())
        answers = [line.final() for _ in range(3)]  # in whatever order
        for dialogue in (one, asking, other):
            (answer,) = [a for a in answers if dialogue.call_id in a]
            assert dialogue.take(answer) == 200
        assert len(demo.calls) == 2
        line.send(one.ack() + other.ack() + one.bye() + other.bye())
        assert [status(line.final()) for _ in range(2)] == [200, 200]

    demo.wait_idle()


def test_keep_alives(demo: Device) -> None:
    """Each CRLFCRLF is answered by one CRLF, also between messages; a lone CRLF is not."""
    with lines(demo, 1) as [(line, dialogue)]:
        line.send(b"\r\n\r\n")
        assert line.receive_pong() == b"\r\n"
        line.send(b"\r\n" + dialogue.invite())
        assert dialogue.take(line.final()) == 200
        line.send(dialogue.ack() + b"\r\n\r\n")
        assert line.receive_pong() == b"\r\n"
        line.send(dialogue.bye())
        assert dialogue.take(line.final()) == 200

    demo.wait_idle()
