"""What is heard here goes out as multicast, on a clock and a card that are moved by hand."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE, samples_in
from sipstrobe.audio.policy import Places
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.settings import AudioSettings
from sipstrobe.audio.source import AddSource, HearSource, SetVolume, SourceKind
from sipstrobe.codecs.registry import CODECS, usable
from sipstrobe.context import Context
from sipstrobe.errors import MediaError
from sipstrobe.events import PageState, PageStateChanged, ServiceStateChanged
from sipstrobe.io.udp import Endpoint, Receive
from sipstrobe.multicast.relay import RelaySettings
from sipstrobe.rtp import packet, rtcp
from sipstrobe.rtp.group_srtp import GroupSrtp
from sipstrobe.rtp.packet import Packet
from sipstrobe.secret import Secret
from sipstrobe.services.page_relay import RETRY, Mouth, PageRelay
from tests.services.test_sound import Bench
from tests.support.hear import Samples, tone_db

GROUP = "239.1.2.3"
PORT = 5004
TURN = 0.020
STEP = 0.005
STRANGER = ("192.0.2.9", 40_000)
ON = RelaySettings(enabled=True, address=GROUP, port=PORT)
BOTH = RelaySettings(enabled=True, address=GROUP, port=PORT, sounds=("calls", "clips"))


@dataclass
class Air:
    """A group, and all that is sent to it: (instant, datagram, from which port)."""

    bench: Bench
    sent: list[tuple[float, bytes, int]] = field(default_factory=list[tuple[float, bytes, int]])
    reports: list[tuple[float, bytes, int]] = field(default_factory=list[tuple[float, bytes, int]])
    lines: list["Line"] = field(default_factory=list["Line"])
    refusal: str = ""  # why nothing can be sent
    ports: int = 50_000
    held: list[tuple[bytes, Endpoint]] | None = None  # packets on their way, if that takes time

    @property
    def packets(self) -> list[Packet]:
        return [packet.parse(data) for _, data, _ in self.sent]

    @property
    def byes(self) -> list[float]:
        found = [(at, rtcp.parse(data)) for at, data, _ in self.reports]
        return [at for at, parts in found if any(isinstance(p, rtcp.Bye) for p in parts)]

    def spread(self, data: bytes, source: Endpoint, *, is_rtcp: bool = False) -> None:
        """To all who hear the group, also on the machine that it comes from."""
        if self.held is not None and not is_rtcp:
            self.held.append((data, source))
            return
        for line in self.lines:
            hears = line.rtcp if is_rtcp else line.rtp
            if hears is not None:
                hears(data, source, self.bench.clock.now())


class Line:
    """One device's way to the group."""

    def __init__(self, air: Air, host: str = "192.0.2.1") -> None:
        self.air = air
        self.host = host
        self.refusal = ""  # why the group cannot be joined
        self.rtp: Receive | None = None
        self.rtcp: Receive | None = None
        air.lines.append(self)

    def join(self, wanted: RelaySettings, rtp: Receive, rtcp: Receive) -> None:
        if self.refusal:
            raise OSError(19, self.refusal)
        assert (wanted.address, wanted.port) == (GROUP, PORT)
        self.rtp, self.rtcp = rtp, rtcp

    def leave(self) -> None:
        self.rtp = self.rtcp = None

    def speak(self, wanted: RelaySettings) -> Mouth:
        self.air.ports += 1
        return Spoken(self.air, self.host, self.air.ports)


class Spoken:
    """One socket that sends to the group."""

    def __init__(self, air: Air, host: str, port: int) -> None:
        self.rtcp: tuple[str, int] = (GROUP, PORT + 1)
        self.local_port = port
        self.closed = False
        self._air = air
        self._host = host

    def send(self, data: bytes) -> None:
        self._refuse()
        self._air.sent.append((self._air.bench.clock.now(), data, self.local_port))
        self._air.spread(data, (self._host, self.local_port))

    def send_rtcp(self, data: bytes) -> None:
        self._refuse()
        self._air.reports.append((self._air.bench.clock.now(), data, self.local_port))
        self._air.spread(data, (self._host, self.local_port), is_rtcp=True)

    def close(self) -> None:
        self.closed = True

    def _refuse(self) -> None:
        assert not self.closed
        if self._air.refusal:
            raise MediaError(f"{GROUP} cannot be reached: {self._air.refusal}")


class Device:
    """A speaker and its relay."""

    def __init__(self, bench: Bench | None = None, air: Air | None = None) -> None:
        self.bench = Bench() if bench is None else bench
        self.clock = self.bench.clock
        self.air = Air(self.bench) if air is None else air
        self.line = Line(self.air, f"192.0.2.{len(self.air.lines) + 1}")
        context = self.bench.context
        self.context = Context(self.clock, context.random_bytes, context.trace, context.measures)
        self.context.bus, self.context.dispatcher = context.bus, context.dispatcher
        self.problems: list[str] = []
        self.context.bus.subscribe(ServiceStateChanged, self._note)
        self.relay = PageRelay(self.context, self.bench.sound, self.line)

    @property
    def state(self) -> tuple[str, str, str]:
        told = self.relay.snapshot()
        return told["state"], told["source"], told["problem"]

    def _note(self, event: ServiceStateChanged) -> None:
        if event.service == "relay":
            self.problems.append(event.problem)


class Voice:
    """A source that writes 20 ms at a time, as packets come."""

    def __init__(
        self,
        device: Device,
        owner: str = "in-1",
        kind: SourceKind = SourceKind.PAGE,
        *,
        rank: int = 5,
        place: int | None = None,
        hertz: float = 500.0,
        relayable: bool = True,
    ) -> None:
        self.device = device
        self.owner = owner
        self.hertz = hertz
        self.ring = SampleRing(SAMPLE_RATE // 2)
        self.said = 0
        self.on = True
        order = AddSource(
            owner=owner, kind=kind, ring=self.ring, rank=rank, place=place, relayable=relayable
        )
        device.context.dispatcher.execute(order)

    def say(self) -> None:
        at = (self.said + np.arange(samples_in(TURN))) / SAMPLE_RATE
        self.said += at.size
        self.ring.write((0.5 * np.sin(2 * np.pi * self.hertz * at)).astype(np.float32))

    def end(self) -> None:
        self.device.bench.remove(self.owner)


def play(device: Device, seconds: float, *voices: Voice) -> Samples:
    """What is heard here while they speak."""
    pieces: list[Samples] = []
    for _ in range(round(seconds / TURN)):
        for voice in voices:
            voice.say()
        pieces.append(device.bench.play(TURN).astype(np.float64))
    return np.concatenate(pieces)


def relayed(device: Device, codec: str = "PCMU") -> Samples:
    """What those hear who hear the group."""
    decoder = CODECS[codec].decoder()
    pieces = [decoder.decode(p.payload) for p in device.air.packets]
    return np.concatenate(pieces).astype(np.float64)


def on(wanted: RelaySettings = ON, codec: str = "PCMU") -> Device:
    device = Device()
    device.relay.apply(wanted, codec)
    return device


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


def test_it_is_one_to_two_packets_later_than_it_came() -> None:
    """20 to 40 ms, whatever waits before the card."""
    device = on(codec="L16/48000")
    voice = Voice(device)
    began = device.clock.now()
    voice.ring.write(np.zeros(samples_in(0.06), np.float32))  # that a jitter buffer begins with

    play(device, 0.4, voice)

    first = next(at for at, data, _ in device.air.sent if any(packet.parse(data).payload))
    assert 0.0 < first - began <= 0.04


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
    assert device.state[0] == "sending"
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


# --- loops --------------------------------------------------------------------------------------


def test_a_page_that_came_by_multicast_never_goes_out() -> None:
    device = on(BOTH)

    play(device, 0.2, Voice(device, "page Fire", place=1, relayable=False))

    assert device.air.sent == []


def test_a_clip_that_a_page_has_started_does_not_go_out() -> None:
    """Else two devices with such a rule would answer each other for ever."""
    device = on(BOTH)
    clips: list[Voice] = []
    device.context.bus.subscribe(
        PageStateChanged, lambda _: clips.append(Voice(device, "clip", SourceKind.CLIP))
    )

    changed = PageStateChanged(page="Fire", state=PageState.ACTIVE, sender=STRANGER[0])
    device.context.bus.publish(changed)
    play(device, 0.2, *clips)

    assert clips
    assert device.air.sent == []


def test_our_own_packets_are_nobodys_page() -> None:
    """The machine hands them back to all of its sockets that have joined the group."""
    device = on()
    voice = Voice(device)
    play(device, 0.4, voice)
    voice.end()

    own = device.relay.own
    for _, data, port in (*device.air.sent, *device.air.reports):
        assert (data, ("192.0.2.1", port)) in own
    assert device.state == ("idle", "", "")


def test_a_device_that_calls_itself_goes_out_once() -> None:
    """The call comes in as a page, and has another end here that is none."""
    device = on(BOTH)
    inside, outside = Voice(device, "in-1"), Voice(device, "out-1", SourceKind.CALL)
    outside.end()
    outside = Voice(device, "out-1", SourceKind.CALL, relayable=False)

    play(device, 0.4, inside, outside)

    assert device.state == ("sending", "in-1", "")
    assert len({p.ssrc for p in device.air.packets}) == 1


# --- the group ----------------------------------------------------------------------------------


def say_to(device: Device, number: int = 1, ssrc: int = 7) -> None:
    """Somebody else speaks to the group."""
    device.air.spread(packet.build(0, False, number, 160 * number, ssrc, bytes(160)), STRANGER)


def test_who_speaks_to_the_group_already_is_not_interrupted() -> None:
    """Those who hear both would hear him only, and of us the rest."""
    device = on()
    say_to(device)
    voice = Voice(device)
    for number in range(2, 12):
        say_to(device, number)
        play(device, TURN, voice)
    assert device.state == ("blocked", "in-1", f"{STRANGER[0]} speaks to {GROUP}")
    assert device.air.sent == []
    assert device.problems == []

    goodbye = rtcp.compound([rtcp.Report(7), rtcp.Bye((7,))])
    device.air.spread(goodbye, (STRANGER[0], STRANGER[1] + 1), is_rtcp=True)
    play(device, 0.1, voice)

    assert device.state == ("sending", "in-1", "")


def test_who_comes_later_does_not_interrupt_us() -> None:
    device = on()
    voice = Voice(device)
    play(device, 0.4, voice)

    for number in range(10):
        say_to(device, number)
        play(device, TURN, voice)

    assert device.state == ("sending", "in-1", "")
    assert len(device.air.sent) >= 28


def test_who_speaks_in_a_pause_of_ours_has_the_group() -> None:
    device = on()
    voice = Voice(device)
    play(device, 0.4, voice)
    play(device, 0.4)

    say_to(device)
    assert len(device.air.byes) == 1
    play(device, 0.1, voice)
    assert device.state[0] == "blocked"
    play(device, 0.4, voice)

    assert device.state[0] == "sending"


def test_of_two_relays_that_begin_at_the_same_time_one_gives_way() -> None:
    """An exchange calls both at once. Of two at once nobody is understood."""
    first = on()
    second = Device(air=first.air)
    second.bench.clock.time = first.clock.time
    second.relay.apply(ON, "PCMU")
    voices = Voice(first, "in-1"), Voice(second, "in-2")

    for _ in range(30):
        for voice in voices:
            voice.say()
        for _ in range(4):
            first.air.held = []
            for device in (first, second):
                device.bench.play(STEP)
            held, first.air.held = first.air.held, None
            for data, source in held:
                first.air.spread(data, source)

    assert sorted(d.state[0] for d in (first, second)) == ["blocked", "sending"]
    assert len(first.air.byes) == 1
    counts = sorted(d.relay.snapshot()["packets"] for d in (first, second))
    assert counts[0] <= 2
    assert counts[1] >= 25


def test_two_relays_to_one_group_take_turns() -> None:
    """Neither relays what it hears of the other, and who comes second waits."""
    first = on()
    second = Device(air=first.air)
    second.bench.clock.time = first.clock.time
    second.relay.apply(ON, "PCMU")
    one = Voice(first, "in-1")
    two: Voice | None = None

    for n in range(40):
        if n == 15:
            two = Voice(second, "in-2")
        if n < 30:
            one.say()
        if n == 30:
            one.end()
        if two is not None:
            two.say()
        for _ in range(4):
            for device in (first, second):
                device.bench.play(STEP)
        if 15 < n < 30:
            assert second.state == ("blocked", "in-2", f"192.0.2.1 speaks to {GROUP}")

    assert (first.state[0], second.state[0]) == ("idle", "sending")


def test_a_group_that_cannot_be_joined_is_told_and_tried_again() -> None:
    device = Device()
    device.line.refusal = "No such device"
    device.relay.apply(ON, "PCMU")
    voice = Voice(device)
    play(device, 0.2, voice)
    words = f"{GROUP} cannot be joined: No such device"
    assert device.state == ("blocked", "in-1", words)
    assert device.problems == [words]

    device.line.refusal = ""
    play(device, RETRY + 0.2, voice)

    assert device.state == ("sending", "in-1", "")
    assert device.problems == [words, ""]


def test_a_network_that_takes_nothing_is_told_and_tried_again() -> None:
    device = on()
    voice = Voice(device)
    play(device, 0.4, voice)

    device.air.refusal = "Network is unreachable"
    play(device, 0.4, voice)
    words = f"{GROUP} cannot be reached: Network is unreachable"
    assert device.state == ("blocked", "in-1", words)
    play(device, 2 * RETRY, voice)
    assert device.problems == [words]
    device.air.refusal = ""
    play(device, RETRY + 0.2, voice)

    assert device.state == ("sending", "in-1", "")
    assert device.problems == [words, ""]


def test_a_packet_that_the_network_does_not_take_is_no_trouble() -> None:
    device = on()
    voice = Voice(device)
    play(device, 0.4, voice)

    device.air.refusal = "No buffer space available"
    play(device, 2 * TURN, voice)
    device.air.refusal = ""
    play(device, 0.2, voice)

    assert device.problems == []
    assert len({p.ssrc for p in device.air.packets}) == 1


def test_trouble_is_over_when_nothing_is_to_be_relayed_and_the_group_is_there() -> None:
    device = on()
    voice = Voice(device)
    device.air.refusal = "Network is unreachable"
    play(device, 0.4, voice)
    voice.end()
    assert device.state[0] == "blocked"

    play(device, RETRY + 0.1)

    assert device.state == ("idle", "", "")


def test_a_device_that_ends_says_goodbye() -> None:
    device = on()
    play(device, 0.2, Voice(device))

    device.relay.close()

    assert len(device.air.byes) == 1
    assert device.line.rtp is None
