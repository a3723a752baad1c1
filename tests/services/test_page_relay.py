"""What is heard here goes out as multicast while it is heard here."""

from itertools import pairwise

import numpy as np
import pytest

from sipstrobe.audio.format import samples_in
from sipstrobe.audio.policy import Places
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.settings import AudioSettings
from sipstrobe.audio.source import AddSource, HearSource, SourceKind
from sipstrobe.codecs.registry import CODECS, usable
from sipstrobe.commands import SetVolume
from sipstrobe.multicast.relay import RelaySettings
from sipstrobe.rtp import packet, rtcp
from sipstrobe.rtp.group_srtp import GroupSrtp
from sipstrobe.secret import Secret
from tests.services.relaying import (
    BOTH,
    GROUP,
    ON,
    TURN,
    Device,
    Voice,
    on,
    play,
    relayed,
)
from tests.support.hear import tone_db

# --- what goes out ------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", usable(CODECS))
def test_a_call_goes_out_in_every_codec_as_loud_as_it_came(codec: str) -> None:
    """Neither the volume of this speaker nor what else it plays has a part in it."""
    device = on(codec=codec)
    device.bench.sound.apply(AudioSettings(output="hand", volume_db=-30.0))

    play(device, 1.0, Voice(device))

    sound = relayed(device, codec)
    middle = sound[sound.size // 4 : -sound.size // 4]
    assert tone_db(middle, 500.0, CODECS[codec].sample_rate) == pytest.approx(-9.03, abs=0.5)
    assert device.state == ("sending", "in-1", "")


def test_packets_go_out_one_a_turn_on_a_grid_without_jitter() -> None:
    """RFC 3551 §4.2; the marker says where it begins."""
    device = on()

    play(device, 2.0, Voice(device))

    at = [when for when, _, _ in device.air.sent]
    assert len(at) >= 97
    assert np.diff(at) == pytest.approx(TURN, abs=1e-6)
    packets = device.air.packets
    assert [p.marker for p in packets] == [True] + [False] * (len(packets) - 1)
    for before, after in pairwise(packets):
        assert after.sequence_number == (before.sequence_number + 1) % (1 << 16)
        assert (after.timestamp - before.timestamp) % (1 << 32) == 160


@pytest.mark.parametrize(("codec", "late"), [("L16/48000", 0.015), ("L16/16000", 0.025)])
def test_it_is_little_more_than_a_packet_later_than_it_came(codec: str, late: float) -> None:
    """In packets of 10 and 20 ms; its turns follow those of the call, whatever waits before the
    card."""
    device = on(codec=codec)
    voice = Voice(device)
    began = device.clock.now()
    voice.ring.write(np.zeros(samples_in(0.06), np.float32))  # that a jitter buffer begins with

    play(device, 0.4, voice)

    first = next(at for at, data, _ in device.air.sent if any(packet.parse(data).payload))
    assert first - began == pytest.approx(late, abs=1e-6)


def test_while_it_is_off_nothing_is_watched_and_nothing_is_sent() -> None:
    device = Device()

    play(device, 0.2, Voice(device))

    assert device.bench.sound.watcher is None
    assert device.line.rtp is None
    assert device.air.sent == []


def test_what_is_heard_already_when_it_is_switched_on_goes_out_from_then_on() -> None:
    device = Device()
    voice = Voice(device)
    play(device, 0.2, voice)

    device.relay.apply(ON, "PCMU")
    play(device, 0.2, voice)
    device.relay.apply(ON, "PCMU")  # nothing new
    assert device.state[0] == "sending"
    assert device.air.byes == []
    device.relay.apply(RelaySettings(), "PCMU")

    assert device.state == ("idle", "", "")
    assert len(device.air.byes) == 1
    assert device.bench.sound.watcher is None


@pytest.mark.parametrize(
    ("wanted", "kind", "goes_out"),
    [
        (ON, SourceKind.PAGE, True),
        (ON, SourceKind.CLIP, False),
        (BOTH, SourceKind.CLIP, True),
        (RelaySettings(enabled=True, address=GROUP, sounds=("clips",)), SourceKind.PAGE, False),
    ],
)
def test_what_is_wanted_goes_out(wanted: RelaySettings, kind: SourceKind, goes_out: bool) -> None:
    device = on(wanted)

    play(device, 0.2, Voice(device, kind=kind))

    assert bool(device.air.sent) is goes_out


def test_the_end_of_the_call_is_told_at_once() -> None:
    """RFC 3550 §6.6."""
    device = on()
    voice = Voice(device)
    play(device, 0.4, voice)

    voice.end()

    assert device.air.byes == [device.clock.now()]
    count = len(device.air.sent)
    play(device, 0.2)
    assert len(device.air.sent) == count
    assert device.state == ("idle", "", "")


def test_a_clip_goes_out_to_its_last_sample() -> None:
    """Its ring is filled ahead of the card, and it is over when the card has played it."""
    device = on(BOTH, "L16/48000")
    ring, total = SampleRing(samples_in(0.2)), samples_in(0.309)
    sound = np.linspace(0.1, 0.9, total, dtype=np.float32)
    written = 0

    def refill(count: int) -> None:
        nonlocal written
        piece = sound[written : written + count]
        written += ring.write(piece)
        ring.ended = written == total
        if ring.consumed == total:
            device.clock.call_at(device.clock.now(), lambda: device.bench.remove("clip"))

    order = AddSource(
        owner="clip", kind=SourceKind.CLIP, ring=ring, rank=5, refill=refill, relayable=True
    )
    device.context.dispatcher.execute(order)
    device.bench.play(0.5)

    heard = relayed(device, "L16/48000")
    assert heard[2:total] == pytest.approx(sound[: total - 2], abs=1e-4)
    assert heard.size - total < 2 * samples_in(0.01)
    assert len(device.air.byes) == 1


def test_a_clip_that_is_stopped_does_not_go_on_elsewhere() -> None:
    device = on(BOTH)
    ring = SampleRing(samples_in(0.2))
    ring.write(np.full(samples_in(0.15), 0.5, np.float32))
    ring.ended = True
    order = AddSource(owner="clip", kind=SourceKind.CLIP, ring=ring, rank=5, relayable=True)
    device.context.dispatcher.execute(order)
    device.bench.play(0.06)
    count = len(device.air.sent)

    device.bench.remove("clip")

    assert 0 < count == len(device.air.sent)
    assert len(device.air.byes) == 1


def test_what_comes_late_is_said_with_the_next_and_its_timestamps_have_no_gap() -> None:
    device = on()
    voice = Voice(device)
    play(device, 0.4, voice)

    play(device, 0.06)
    for _ in range(3):
        voice.say()
    play(device, 0.4, voice)

    packets = device.air.packets
    steps = {(b.timestamp - a.timestamp) % (1 << 32) for a, b in pairwise(packets)}
    assert steps == {160}
    assert sum(p.marker for p in packets) == 1
    assert max(np.diff([at for at, _, _ in device.air.sent])) <= 0.08


def test_a_pause_is_a_pause() -> None:
    """RFC 3551 §4.1: nothing is sent, and the timestamps go on with the clock."""
    device = on()
    voice = Voice(device)
    play(device, 0.4, voice)
    before = len(device.air.sent)

    play(device, 1.0)
    assert len(device.air.sent) <= before + 2
    play(device, 0.4, voice)

    packets = device.air.packets
    assert [n for n, p in enumerate(packets) if p.marker] == [0, len(packets) - 19]
    first, last = device.air.sent[0], device.air.sent[-1]
    units = (packets[-1].timestamp - packets[0].timestamp) % (1 << 32)
    assert units / 8000 == pytest.approx(last[0] - first[0], abs=1e-6)
    assert device.air.byes == []


def test_it_is_encrypted_for_those_who_have_the_key() -> None:
    """RFC 3711."""
    key = Secret("0a" * 44)
    wanted = RelaySettings(enabled=True, address=GROUP, srtp_key=key, cipher="AES_GCM")
    device = on(wanted)
    voice = Voice(device)
    play(device, 0.4, voice)
    voice.end()

    opened = GroupSrtp("AEAD_AES_256_GCM", key)
    plain = [opened.open(data) for _, data, _ in device.air.sent]
    assert None not in plain
    goodbye = opened.open_rtcp(device.air.reports[-1][1])
    assert goodbye is not None
    assert any(isinstance(part, rtcp.Bye) for part in rtcp.parse(goodbye))


def test_its_packets_are_counted() -> None:
    device = on()
    voice = Voice(device)
    play(device, 0.4, voice)
    voice.end()
    other = Voice(device, "in-2")
    play(device, 0.2, other)

    total = device.context.measures.counter("relay_packets_total").value
    assert total == len(device.air.sent)
    assert device.relay.snapshot()["packets"] < total


# --- while it is heard here ---------------------------------------------------------------------


def test_what_another_source_silences_here_does_not_go_out() -> None:
    """A page by multicast that ranks higher; what is hidden returns when that is over."""
    device = on()
    device.bench.sound.apply_places(Places(calls=2, clips=3))
    voice = Voice(device)
    play(device, 0.4, voice)

    fire = Voice(device, "page Fire", place=1, relayable=False, hertz=900.0)
    assert len(device.air.byes) == 1
    count = len(device.air.sent)
    play(device, 0.4, voice, fire)
    assert len(device.air.sent) == count
    assert device.state == ("idle", "", "")
    fire.end()
    play(device, 0.4, voice)

    assert device.state == ("sending", "in-1", "")
    first, second = device.air.packets[0], device.air.packets[-1]
    assert first.ssrc != second.ssrc


def test_what_is_only_softer_here_goes_out_in_full() -> None:
    """By the usual table a clip of a higher rank softens a page."""
    device = on()
    voice = Voice(device)
    clip = Voice(device, "clip", SourceKind.CLIP, rank=9, hertz=900.0)
    play(device, 0.4, voice, clip)

    told = {s["owner"]: s["gain"] for s in device.bench.sound.snapshot()["sources"]}
    assert told["in-1"] == pytest.approx(10 ** (-12 / 20))
    sound = relayed(device)[-2000:]
    assert tone_db(sound, 500.0, 8000) == pytest.approx(-9.03, abs=0.5)
    assert tone_db(sound, 900.0, 8000) < -40.0


def test_a_speaker_that_is_muted_relays_nevertheless() -> None:
    """The volume is for those who stand before this speaker."""
    device = on()
    device.context.dispatcher.execute(SetVolume(muted=True))

    play(device, 0.2, Voice(device))

    assert device.state[0] == "sending"


def test_a_call_that_waits_for_its_turn_does_not_go_out() -> None:
    device = on()
    first, second = Voice(device, "in-1"), Voice(device, "in-2")
    device.context.dispatcher.execute(HearSource(owner="in-1", heard=False))

    play(device, 0.2, first, second)

    assert device.state == ("sending", "in-2", "")


def test_of_several_only_the_highest_goes_out() -> None:
    device = on(BOTH)
    low, high = Voice(device, "in-1", rank=5), Voice(device, "in-2", rank=7, hertz=900.0)
    play(device, 0.2, low, high)
    assert device.state == ("sending", "in-2", "")
    high.end()
    play(device, 0.2, low)

    assert device.state == ("sending", "in-1", "")
    assert len({p.ssrc for p in device.air.packets}) <= 3
