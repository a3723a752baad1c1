"""One who pages desk phones."""

import numpy as np
import pytest

from sipstrobe.audio.format import Samples
from sipstrobe.codecs.registry import CODECS, usable
from sipstrobe.multicast.group_paging import CODECS as CODES
from sipstrobe.multicast.group_paging import OpCode, Packet, Page, parse
from sipstrobe.services.desk_talker import DeskTalker
from tests.support.hear import tone_db


class Air:
    def __init__(self) -> None:
        self.packets: list[Packet] = []

    def send(self, data: bytes) -> None:
        self.packets.append(parse(data))


def tone(talker: DeskTalker, frames: int) -> list[Samples]:
    at = np.arange(frames * talker.frame_samples) / talker.sample_rate
    sound = (0.5 * np.sin(2 * np.pi * 1000 * at)).astype(np.float32)
    return np.split(sound, frames)


@pytest.mark.parametrize(("code", "codec"), CODES.items())
def test_what_is_said_is_in_the_packets_twice(code: int, codec: str) -> None:
    """EA 70568: 30 ms of new sound after those of the packet before."""
    if codec not in usable(CODECS):
        pytest.skip(f"{codec} is not installed")
    air = Air()
    talker = DeskTalker(air.send, codec, 26, "Gate", 0xABCD)

    talker.alert()
    for frame in tone(talker, 20):
        talker.say(frame, now=0.0)
    talker.end(now=0.6)

    first, *rest, last = air.packets
    assert (first.op, last.op) == (OpCode.ALERT, OpCode.END)
    assert {(p.op, p.channel, p.serial_number, p.caller_id, p.codec, p.flags) for p in rest} == {
        (OpCode.TRANSMIT, 26, 0xABCD, "Gate", code, 0)
    }
    assert [p.sample_count for p in rest] == [240 * n for n in range(20)]
    new = [rest[0].audio, *(p.audio[240:] for p in rest[1:])]
    assert [p.audio[:240] for p in rest[1:]] == new[:-1]
    heard = CODECS[codec].decoder().decode(b"".join(new)).astype(np.float64)
    assert heard.size == 20 * talker.frame_samples
    assert tone_db(heard[2000:], 1000.0, talker.sample_rate) == pytest.approx(-9.0, abs=0.3)
    assert (talker.packets, talker.ends) == (20, 1)


def test_a_pause_is_counted_as_sound_that_nobody_sends() -> None:
    air = Air()
    talker = DeskTalker(air.send, "PCMU", 26, "", 1)
    one, other = tone(talker, 2)

    talker.say(one, now=0.0)
    talker.pause(10)
    talker.say(other, now=0.33)

    assert [p.sample_count for p in air.packets] == [0, 11 * 240]
    assert [len(p.audio) for p in air.packets] == [240, 240]


def test_who_speaks_already_or_has_a_lower_number_goes_before() -> None:
    """EA 70568."""
    talker = DeskTalker(Air().send, "PCMU", 26, "Gate", 7)
    low, high = Page(26, 6, "Low", 0), Page(26, 8, "High", 0)
    own, elsewhere = Page(26, 7, "Gate", 0), Page(27, 6, "Other", 0)

    for before in (low.alert(), low.transmit(b"\0"), high.transmit(b"\0")):
        assert talker.rival(before) == parse(before)
    others = (high.alert(), low.end(), own.alert(), own.transmit(b"\0"), elsewhere.alert(), b"no")
    assert [talker.rival(data) for data in others] == [None] * 6
