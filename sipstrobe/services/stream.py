"""One media stream of a call or a page: channel, RTP session, codec, and both directions of sound.

RTP takes the short way from the socket through here into the ring, without machine driver and
trace: nothing is decided by a packet, and fifty a second are sent and received for each call.
"""

import base64
import logging
from collections.abc import Callable, Mapping
from typing import Final

from sipstrobe.audio.format import SAMPLE_RATE, SILENCE_DB
from sipstrobe.audio.ring import SampleRing
from sipstrobe.clock import Handle
from sipstrobe.codecs.base import Codec, Decoder
from sipstrobe.codecs.noise import ComfortNoise
from sipstrobe.codecs.registry import CODECS
from sipstrobe.context import Context
from sipstrobe.io.names import is_numeric
from sipstrobe.io.udp import Endpoint
from sipstrobe.rtp.jitter import JitterBuffer
from sipstrobe.rtp.packet import Packet
from sipstrobe.rtp.quality import Bursts, Counts, Quality
from sipstrobe.rtp.session import NTP_EPOCH, SendRtcp, Session, SourceChanged, SourceEnded
from sipstrobe.sdp.negotiate import MediaParameters
from sipstrobe.sdp.security import DtlsKeys
from sipstrobe.services.channel import Certifier, Channel, Ports
from sipstrobe.services.ear import Ear
from sipstrobe.services.playout import Playout
from sipstrobe.services.seldom import Seldom
from sipstrobe.services.speech import SoundSource, Speech, Witness
from sipstrobe.services.stream_statistics import StreamStatistics
from sipstrobe.services.ticker import Ticker

logger = logging.getLogger(__name__)

RING_SECONDS: Final = 0.5  # more than the jitter buffer ever lets wait
TURN_PAUSE: Final = 0.2  # seconds from one change to a codec of other rates to the next
LEVEL_HOLD: Final = 0.3  # seconds without a packet after which the level is that of silence
LEAST_WAIT: Final = 0.001  # seconds between two looks at a ring that runs low
UNTIMELY: Final = 0.4  # of a packet time between a packet and our turn; less if it cannot wait
LONGEST_TURN_MS: Final = 20  # between two looks at the socket, however long the packets are
MOVE: Final = 30  # untimely turns, counted twice, after which they are moved
LATENCY: Final = "packet_to_sound_seconds"

EventPacket = Callable[[Packet, int, int, float], None]
"""Told a telephone event: its packet, extended sequence number, clock rate, instant of receipt."""


class Stream:
    """Open from construction to `close`; sound flows from `start` on, or from when there are keys.

    on_first: told when the first sound has come; on_event: of telephone events; on_silence: told
    once when nothing was received for silence_limit seconds, and again after something was. ear:
    hears all sound at once. prompt: events are told as they come and not at the next turn, for the
    price of a wake-up with each packet. shortest: least waiting time in the jitter buffer.
    certifier: for DTLS.
    """

    def __init__(
        self,
        context: Context,
        ports: Ports,
        ticker: Ticker,
        *,
        shortest: float = 0.020,
        silence_limit: float | None = None,
        on_silence: Callable[[], None] | None = None,
        on_event: EventPacket | None = None,
        ear: Ear | None = None,
        prompt: bool = False,
        on_first: Callable[[], None] | None = None,
        certifier: Certifier | None = None,
    ) -> None:
        """Raises OSError when there is no free pair of ports."""
        self._ring: SampleRing | None = None
        self.parameters: MediaParameters | None = None
        self._context = context
        self._clock = context.clock
        self._ticker = ticker
        self._shortest = shortest
        self._silence_limit = silence_limit
        self._on_silence = on_silence
        self._on_event = on_event
        self._ear = ear
        self._prompt = prompt
        self._on_first = on_first
        self._latency = context.measures.histogram(
            LATENCY, "From the receipt of a packet to the card"
        )
        self._session = Session(
            base64.b64encode(context.random_bytes(12)).decode(),  # RFC 7022 §4.2
            SAMPLE_RATE,
            context.random_bytes,
            ntp_offset=context.clock.wall().timestamp() + NTP_EPOCH - context.clock.now(),
        )
        self._changes = Seldom(logger, context.clock)
        self._codec: Codec | None = None
        self._playout: Playout | None = None
        self._speech = Speech()
        self._event_types: Mapping[int, int] = {}  # payload type -> clock rate
        self._receives = False
        self._sends = False
        self._parked = False
        self.signalling = ""  # the host that the peer's signalling comes from
        self._payload_type = 0
        self._packet_time = 0.0
        self._turns_a_packet = 1
        self._turns = 0
        self._interval = 0.0  # of our turns
        self._due: float | None = None  # the last turn, on the ticker's grid
        self._marker = True  # the next packet sent is the first after a pause
        self._leave: Callable[[], None] | None = None
        self._check: Handle | None = None
        self._untimely = 0  # grows with each turn just before a packet, shrinks with each other
        self._heard_at = 0.0
        self._turned_at = float("-inf")  # when the peer turned to a codec of other rates
        self._silent = False
        self.channel = Channel(context.clock, ports, self._receive, self._receive_rtcp, certifier)

    @property
    def source(self) -> SoundSource | None:
        """What the peer is to hear; None: silence."""
        return self._speech.source

    @source.setter
    def source(self, source: SoundSource | None) -> None:
        self._speech.source = source

    def witness(self, told: Witness | None) -> None:
        """Tell somebody what the peer is given to hear; None: nobody any more."""
        self._speech.witness = told

    @property
    def parked(self) -> bool:
        """Nothing is sent for now, whatever has been agreed."""
        return self._parked

    @parked.setter
    def parked(self, parked: bool) -> None:
        self._parked = parked
        if not parked:
            self.channel.unpark()

    @property
    def ring(self) -> SampleRing:
        """What the sound service plays; made when it is first asked for."""
        if self._ring is None:
            self._ring = SampleRing(round(RING_SECONDS * SAMPLE_RATE))
        return self._ring

    @property
    def local_port(self) -> int:
        """Our RTP port; RTCP is on the next one."""
        return self.channel.rtp.port

    def start(self, parameters: MediaParameters) -> None:
        """Send and receive as SDP has settled."""
        if not isinstance(parameters.keying, DtlsKeys):  # whose handshake may have begun
            self.channel.rtp.poll()  # what has come so far was for nobody
        self._heard_at = self._clock.now()
        self.update(parameters)

    def update(self, parameters: MediaParameters) -> None:
        """Another SDP exchange: hold, resume, another address or codec; the SSRC stays."""
        if parameters == self.parameters:
            return
        self.parameters = parameters
        self._use(parameters)
        rtp = _endpoint(parameters.host, parameters.rtp_port)
        rtcp = _endpoint(parameters.host, parameters.rtcp_port)
        accepted = set(parameters.receive_types)
        if parameters.comfort_noise_type is not None:
            accepted.add(parameters.comfort_noise_type)
        self._event_types = parameters.receive_event_types
        accepted.update(self._event_types)
        self._session.configure(
            rtp,
            rtcp,
            frozenset(accepted),
            known=(self.signalling,),
            codec=parameters.codec,
            ptime_ms=parameters.ptime_ms,
            extended=parameters.extended,
            now=self._clock.now(),
        )
        known = (self.signalling,)
        self.channel.follow(parameters, rtp, rtcp, parked=self._parked, known=known)
        self._receives = parameters.direction.receives
        self._sends = parameters.direction.sends
        self._payload_type = parameters.payload_type
        self._packet_time = parameters.ptime_ms / 1000
        self._turns_a_packet = -(-parameters.ptime_ms // LONGEST_TURN_MS)
        interval = self._packet_time / self._turns_a_packet
        if interval != self._interval:
            if self._leave is not None:
                self._leave()
            self._interval = interval
            self._due = None
            self._leave = self._ticker.join(interval, self._turn)

    def send_digits(self, digits: str) -> None:
        """Send DTMF as telephone events, to who takes them. Raises ValueError, with the reason."""
        self._speech.send_digits(digits)

    def send_tones(self, digits: str) -> None:
        """Send DTMF as sound, to who takes it. Raises ValueError, with the reason."""
        self._speech.send_tones(digits)

    def close(self) -> None:
        """Say BYE and release the ports."""
        if self._leave is not None:
            self._leave()
            self._leave = None
        if self._check is not None:
            self._check.cancel()
            self._check = None
        self._session.close(now=self._clock.now())
        self._settle()
        self.channel.close()
        self._on_first = self._on_silence = None  # and with them of the call
        self._on_event = self._ear = None

    @property
    def statistics(self) -> StreamStatistics:
        """How the stream does at this moment."""
        session, heard, channel = self._session, self._session.source, self.channel
        playout = self._playout
        jitter = playout.jitter if playout is not None else None
        units_per_ms = (jitter.clock_rate if jitter is not None else SAMPLE_RATE) / 1000
        trip, metrics, now = session.round_trip, session.remote_metrics, self._clock.now()
        return StreamStatistics(
            packets=heard.received if heard is not None else 0,
            lost=max(0, heard.lost) if heard is not None else 0,
            late=jitter.late if jitter is not None else 0,
            dropped=jitter.dropped if jitter is not None else 0,
            refused=session.latch.refused,
            invalid=session.invalid
            + channel.foreign
            + (playout.invalid if playout is not None else 0),
            concealed_ms=jitter.concealed / units_per_ms if jitter is not None else 0.0,
            jitter_ms=heard.jitter * 1000 if heard is not None else 0.0,
            level_db=self._level(),
            depth_ms=self._ring.fill * 1000 / SAMPLE_RATE if self._ring is not None else 0.0,
            target_ms=jitter.target * 1000 if jitter is not None else 0.0,
            sent=session.packets_sent,
            remote_loss=session.remote_loss,
            round_trip_ms=trip * 1000 if trip is not None else None,
            source=_shown(session.latch.address),
            quiet=now - self._heard_at if heard is not None else None,
            stranger=_shown(session.latch.stranger),
            foreign=session.foreign,
            foreign_type=session.foreign_type,
            encryption=channel.encryption,
            undecipherable=channel.undecipherable,
            replayed=channel.replayed,
            trouble=channel.trouble,
            undelivered=channel.rtp.dropped,
            unreachable=channel.rtp.unreachable,
            deaf_reports=session.deaf_reports,
            deaf_seconds=now - session.deaf_since if session.deaf_reports else 0.0,
            remote_mos=metrics.mos if metrics is not None else None,
        )

    @property
    def counts(self) -> Counts:
        """What was played so far, and what was missing."""
        return self._session.counts

    @property
    def bursts(self) -> Bursts:
        """How what was missing was spread."""
        return self._playout.jitter.bursts if self._playout is not None else Bursts()

    def quality(self, since: Counts | None = None) -> Quality | None:
        """How well the stream is heard, from the beginning or since then; None: not known."""
        return self._session.quality(since)

    # --- receiving ------------------------------------------------------------------------------

    def _receive(self, data: bytes, source: Endpoint, received_at: float) -> None:
        if self.parameters is None:
            return
        found = self._session.receive(data, source, now=received_at)
        if self._session.outbox:
            self._settle()
        if found is None or self._codec is None:
            return
        self._heard_at = received_at
        sequence, packet = found
        if packet.payload_type in self._event_types and self._on_event is not None:
            clock_rate = self._event_types[packet.payload_type]
            self._on_event(packet, sequence, clock_rate, received_at)
        if self._receives:
            if self._ear is not None:
                self._ear.hear(packet, sequence, self.parameters.receive_types)
            playout = self._playout
            if playout is None or packet.payload_type not in playout.decoders:
                playout = self._playout_for(
                    packet.payload_type, self._codec, self.parameters, received_at
                )
            playout.push(
                sequence, packet.timestamp, packet.payload_type, packet.payload, received_at
            )

    def _receive_rtcp(self, data: bytes, source: Endpoint, received_at: float) -> None:
        self._session.receive_rtcp(data, source, now=received_at)
        self._settle()

    def _low(self) -> None:
        """The ring runs low between two turns."""
        self._check = None
        self.channel.rtp.poll()
        if self._playout is not None and self._leave is not None:
            self._watch(self._playout, self._clock.now())

    def _watch(self, playout: Playout, now: float) -> bool:
        """Write what has come; True when the ring may run low before our next turn."""
        playout.play(now)
        low_at = playout.low_at(now)
        if low_at is None or self._due is None or low_at >= self._due + self._interval:
            return False
        if self._check is None:
            self._check = self._clock.call_at(max(low_at, now + LEAST_WAIT), self._low)
        return True

    # --- sending --------------------------------------------------------------------------------

    def _turn(self, due: float, now: float) -> None:
        """The ticker's call: send, receive, and see to everything that waits."""
        codec = self._codec
        assert codec is not None
        if self._due is not None and due > self._due + 1.5 * self._interval:  # turns were left out
            missed = due - self._due - self._interval
            self._session.pause(round(missed * codec.clock_rate))
            self._marker = True
        self._due = due
        self._turns += 1
        if self._turns % self._turns_a_packet == 0:
            self._send(codec)
        self.channel.rtp.poll()
        if self._leave is None:  # what has come has led to our end
            return
        session = self._session
        if session.deadline is not None and session.deadline <= now:
            session.wake(now=now)
            self._settle()
        if self._playout is not None:
            self._look(self._playout, now)
        if self._silence_limit is not None:
            self._listen(now, self._silence_limit)

    def _look(self, playout: Playout, now: float) -> None:
        """Fill the ring at our turn, and let that be a good time for it.

        Packets wait in the socket for the turn, since waking up for each of them costs more than
        all that is done with it; when they are heard stays the same. When the turns come just
        before the packets do, the ring is low each time and needs a timer besides: then the turns
        are moved by a line of the grid.
        """
        jitter = playout.jitter
        soon = min(UNTIMELY * self._interval, jitter.shortest - jitter.low)
        if not self._watch(playout, now) or now - self._heard_at < soon:
            self._untimely = max(0, self._untimely - 1)
            return
        self._untimely += 2
        if self._untimely >= MOVE and self._leave is not None and self._due is not None:
            self._untimely = 0
            self._leave()
            after = self._due + self._interval
            self._leave = self._ticker.join(self._interval, self._turn, after=after)

    def _send(self, codec: Codec) -> None:
        units = round(self._packet_time * codec.clock_rate)
        address = self._session.latch.address
        if address is None or not self._sends or self._parked or not self.channel.ready:
            self._session.pause(units)
            self._marker = True
            return
        packet = self._event_packet(units)
        if packet is None:
            payload = self._speech.payload(self._packet_time)
            packet = self._session.packet(self._payload_type, payload, units, self._marker)
        self.channel.send(packet, address)
        self._marker = False

    def _event_packet(self, units: int) -> bytes | None:
        """A digit, where one is being said; its clock need not be that of the codec."""
        digits, parameters = self._speech.digits, self.parameters
        if digits is None or parameters is None or parameters.event_type is None:
            return None
        event = digits.turn(round(self._packet_time * parameters.event_clock_rate))
        if event is None:
            return None
        return self._session.event_packet(parameters.event_type, event.payload, units, event.begins)

    def _listen(self, now: float, limit: float) -> None:
        silent = now - self._heard_at > limit
        if silent and not self._silent and self._on_silence is not None:
            self._silent = True
            self._on_silence()
        self._silent = silent

    # --- common ---------------------------------------------------------------------------------

    def _use(self, parameters: MediaParameters) -> None:
        """Codecs and what belongs to them; kept where nothing has changed."""
        codec = CODECS[parameters.codec]
        before, self._codec = self._codec, codec
        self._speech.use(codec, parameters.fmtp, parameters.event_clock_rate)
        if before is None or codec.rates != before.rates:
            self._session.change_clock(codec.clock_rate)
            self._playout = self._session.jitter = None
        if self._playout is not None:
            self._playout.decoders = _decoders(parameters, self._playout.rates)

    def _playout_for(
        self, payload_type: int, agreed: Codec, parameters: MediaParameters, now: float
    ) -> Playout:
        """Made for the first packet, since who never speaks costs nothing; and made anew where the
        peer turns to a codec of other rates, which it may without a word (RFC 3264 §5.1). Who
        turns to and fro is not followed at each packet: what is late of before is left out."""
        name = parameters.receive_types.get(payload_type)
        codec = agreed if name is None else CODECS[name]
        playout = self._playout
        if playout is not None and (
            name is None or playout.rates == codec.rates or now < self._turned_at + TURN_PAUSE
        ):
            return playout
        self._turned_at = now
        self._session.change_clock(codec.clock_rate)
        self._session.jitter = jitter = JitterBuffer(codec.clock_rate, shortest=self._shortest)
        self._playout = made = Playout(self.ring, codec, jitter, self._latency)
        made.decoders = _decoders(parameters, codec.rates)
        if self._prompt:
            self.channel.rtp.watch(True)
        if playout is None and self._on_first is not None:
            self._on_first()
        return made

    def _level(self) -> float:
        if self._playout is None or self._clock.now() - self._heard_at > LEVEL_HOLD:
            return SILENCE_DB
        return self._playout.level_db

    def _settle(self) -> None:
        outbox = self._session.outbox
        while outbox:
            match outbox.popleft():
                case SendRtcp(data, to):
                    self._send_report(data, to)
                case SourceChanged(ssrc):
                    self._changes.say(
                        "port %d: another source is heard, SSRC %08x", self.local_port, ssrc
                    )
                    if self._ear is not None:
                        self._ear.restart()
                    if self._playout is not None and self.parameters is not None:
                        self._playout.restart()
                        self._playout.decoders = _decoders(self.parameters, self._playout.rates)
                case SourceEnded(ssrc, reason):
                    logger.debug("port %d: SSRC %08x said BYE %r", self.local_port, ssrc, reason)

    def _send_report(self, data: bytes, to: Endpoint) -> None:
        """RFC 5761 §5.1.1: with RTP on the same port, also to the same address."""
        muxed = self.parameters is not None and self.parameters.rtcp_mux
        address = self._session.latch.address if muxed else None
        self.channel.send_rtcp(data, address or to)


def _shown(address: Endpoint | None) -> str:
    """192.0.2.1:4000 or [2001:db8::1]:4000."""
    if address is None:
        return ""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _decoders(parameters: MediaParameters, rates: tuple[int, int]) -> dict[int, Decoder]:
    """For all that may come at these rates, each with its memory still empty."""
    decoders: dict[int, Decoder] = {
        number: CODECS[name].decoder()
        for number, name in parameters.receive_types.items()
        if CODECS[name].rates == rates
    }
    if parameters.comfort_noise_type is not None:
        decoders.setdefault(parameters.comfort_noise_type, ComfortNoise(*rates))
    return decoders


def _endpoint(host: str, port: int) -> Endpoint | None:
    """Where to send; None while only a name is known, which must be looked up before."""
    return (host, port) if is_numeric(host) else None
