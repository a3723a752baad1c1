"""A device that relays, a group that hears it, and who speaks: all moved by hand."""

from dataclasses import dataclass, field

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, samples_in
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.source import AddSource, SourceKind
from sipstrobe.codecs.registry import CODECS
from sipstrobe.context import Context
from sipstrobe.errors import MediaError
from sipstrobe.events import ServiceStateChanged
from sipstrobe.io.udp import Endpoint, Receive
from sipstrobe.multicast.relay import RelaySettings
from sipstrobe.rtp import packet, rtcp
from sipstrobe.rtp.packet import Packet
from sipstrobe.services.group_line import Mouth
from sipstrobe.services.page_relay import PageRelay
from tests.services.test_sound import Bench
from tests.support.hear import Samples

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
        self.mute = ""  # why nobody can speak to it
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
        if self.mute:
            raise MediaError(self.mute)
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
