"""Calls that a rule makes to let somebody hear a clip (ACT-01)."""

from dataclasses import dataclass

import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.commands import CallAndTell, HangUp
from sipstrobe.errors import CommandRefused, MediaError
from sipstrobe.events import CallStateChanged
from sipstrobe.services.announcer import Announcer
from sipstrobe.services.clip_library import Entry
from sipstrobe.trace import Cause, Input
from tests.services.conftest import Street
from tests.services.phones import Device, Peer
from tests.services.test_voice import RATE, heard
from tests.support.hear import tone_db
from tests.support.waiting import until

HERTZ, SECONDS = 1000.0, 0.4


@dataclass
class Tone:
    """A clip of one tone; empty: its file is gone."""

    seconds: float = SECONDS

    @property
    def period_samples(self) -> int:
        return round(self.seconds * SAMPLE_RATE)

    def open(self) -> "Tone":
        if not self.seconds:
            raise MediaError("the file is gone")
        return self

    def read(self, start: int, n: int) -> Samples:
        turns = HERTZ * np.arange(start, start + n) / SAMPLE_RATE
        return (0.2 * np.sin(2 * np.pi * turns)).astype(np.float32)


async def _called(
    street: Street,
    *,
    clip: Tone | None = None,
    hang_up: bool = True,
    causes: list[Cause | None] | None = None,
) -> tuple[Device, Peer, str]:
    """A call to a peer that has answered. causes: of what becomes of it."""
    device, peer = await street.device(), street.peer()
    if causes is not None:
        trace = device.context.trace
        device.context.bus.subscribe(CallStateChanged, lambda _: causes.append(trace.current))
    entry = Entry(number=1, name="Fire", sound=clip or Tone(), loudness=None, peak_db=0.0)
    Announcer(device.context, {"Fire": entry}.get)
    uri = f"sip:1001@127.0.0.1:{peer.port}"
    with device.context.trace.input("test", "a rule", device.context.clock.now()):
        call = device.do(CallAndTell(uri=uri, clip="Fire", hang_up=hang_up))
    peer.respond(await peer.asked("INVITE"), 200, body=peer.sdp())
    await peer.asked("ACK")
    return device, peer, call


async def test_who_answers_hears_the_clip_and_then_the_call_ends(street: Street) -> None:
    device, peer, _ = await _called(street)

    sound = (await heard(street, peer, SECONDS + 0.2)).astype(np.float64)

    told = sound[np.abs(sound) > 0.01]
    assert tone_db(told[: RATE // 5], HERTZ, RATE) > -25.0
    assert told.size / RATE == pytest.approx(SECONDS, abs=0.1)
    peer.respond(await peer.asked("BYE"), 200)
    await until(lambda: not device.states)


async def test_the_call_goes_on_if_that_is_wanted(street: Street) -> None:
    device, peer, call = await _called(street, hang_up=False)

    await heard(street, peer, SECONDS + 0.4)

    assert device.states == ["active"]
    device.do(HangUp(call=call, tolerant=True))
    peer.respond(await peer.asked("BYE"), 200)
    await until(lambda: not device.states)
    device.do(HangUp(call=call, tolerant=True))  # it has ended already
    with pytest.raises(CommandRefused):
        device.do(HangUp(call=call))


async def test_a_call_that_ends_in_the_middle_is_ended_once(street: Street) -> None:
    device, peer, call = await _called(street)
    await heard(street, peer, 0.1)

    device.hang_up(call)
    peer.respond(await peer.asked("BYE"), 200)
    await until(lambda: not device.states)
    await street.leap(1.0)

    assert device.story == [
        "calling initiated",
        "active accepted_by_remote",
        "terminated terminated",
    ]
    assert peer.silent()


async def test_a_clip_that_is_gone_keeps_nobody_on_the_line(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    causes: list[Cause | None] = []
    device, peer, _ = await _called(street, clip=Tone(seconds=0.0), causes=causes)
    await street.leap(0.01)

    peer.respond(await peer.asked("BYE"), 200)
    await until(lambda: not device.states)
    assert "the file is gone" in caplog.text
    assert causes[-1] is not None
    inputs = [link.what for link in causes[-1].chain() if isinstance(link.what, Input)]
    assert inputs == [Input("clip", "Fire is over"), Input("test", "a rule")]


async def test_a_clip_that_there_is_not_is_no_reason_to_call(street: Street) -> None:
    device = await street.device()
    Announcer(device.context, lambda name: None)

    with pytest.raises(CommandRefused, match="there is no clip 'Fire'"):
        device.do(CallAndTell(uri="sip:1001@127.0.0.1", clip="Fire"))
    assert device.states == []
