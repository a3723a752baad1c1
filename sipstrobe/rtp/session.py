"""One RTP session between two parties: RFC 3550 §5–§8, symmetric RTP of RFC 4961, and the
extended reports of RFC 3611.

RTP goes the quick way: `receive` returns what was received and `packet` what to send. Reports, the
farewell and news about the other side wait in the outbox.
"""

from collections import deque
from collections.abc import Callable, Collection, Container
from typing import Final

from msgspec import Struct

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.rtp import packet, rtcp, xr
from sipstrobe.rtp.jitter import JitterBuffer
from sipstrobe.rtp.latch import Address, Latch
from sipstrobe.rtp.packet import Packet
from sipstrobe.rtp.quality import Counts, Quality, quality
from sipstrobe.rtp.sequence import MIN_SEQUENTIAL
from sipstrobe.rtp.statistics import Reception

SOURCE_SILENCE: Final = 0.05  # seconds after which another source may be heard instead
NTP_EPOCH: Final = 2208988800  # seconds from 1900 to 1970; RFC 3550 §4
REPORT_INTERVAL: Final = 5.0  # seconds; RFC 3550 §6.2, a session of two never needs more
_COMPENSATION: Final = 2.71828 - 1.5  # RFC 3550 §6.3.1
MAX_CLOCK: Final = 1 << 32
SENT_ENOUGH: Final = 25  # packets from one report of the other side to the next that must show
METRICS, RECEIVER_TIMES = "voip-metrics", "rcvr-rtt"  # in a=rtcp-xr; RFC 3611 §5.1


class SendRtcp(Struct, frozen=True):
    """Put these bytes on the wire, from the RTCP port."""

    data: bytes
    to: Address


class SourceChanged(Struct, frozen=True):
    """From the next packet received on, another source is heard, or the same began anew."""

    ssrc: int


class SourceEnded(Struct, frozen=True):
    """The source heard has said BYE."""

    ssrc: int
    reason: str


Output = SendRtcp | SourceChanged | SourceEnded


class Session:
    """Send one source and hear one.

    random_bytes is asked for SSRC, first sequence number, first timestamp and the times of reports.
    ntp_offset: what to add to `now` for seconds since 1900.
    """

    __slots__ = (  # beyond 30 attributes, those in a dictionary are slower
        "_accepted",
        "_candidate",
        "_closed",
        "_cname",
        "_codec",
        "_collided_with",
        "_event_began",
        "_extended",
        "_heard_at",
        "_heard_number",
        "_ntp_offset",
        "_ptime_ms",
        "_random_bytes",
        "_receiver_time",
        "_rtcp",
        "_sent_at_news",
        "_sent_since_report",
        "_sequence_number",
        "_timestamp",
        "clock_rate",
        "deadline",
        "deaf_reports",
        "deaf_since",
        "foreign",
        "foreign_type",
        "invalid",
        "jitter",
        "latch",
        "octets_sent",
        "outbox",
        "packets_sent",
        "remote_loss",
        "remote_metrics",
        "round_trip",
        "source",
        "ssrc",
    )

    def __init__(
        self,
        cname: str,
        clock_rate: int,
        random_bytes: Callable[[int], bytes],
        *,
        ntp_offset: float = 0.0,
    ) -> None:
        self.outbox: deque[Output] = deque()
        self.deadline: float | None = None
        self.latch = Latch()
        self.source: Reception | None = None  # whom we hear
        self.invalid = 0  # packets dropped as no RTP, or not of this session
        self.foreign = 0  # of these, packets of a payload type that was not agreed on
        self.foreign_type = 0  # the last of them
        self.round_trip: float | None = None  # seconds
        self.remote_loss = 0.0  # fraction of our packets that got lost, by the last report
        self.remote_metrics: xr.VoipMetrics | None = None  # how well we are heard, by the last one
        self.deaf_reports = 0  # in a row, that know nothing of what we have sent
        self.deaf_since = 0.0  # when the first of them came
        self.packets_sent = 0
        self.octets_sent = 0
        self.clock_rate = clock_rate
        self.jitter: JitterBuffer | None = None  # what becomes of the packets; given from outside
        self._cname = cname
        self._random_bytes = random_bytes
        self._ntp_offset = ntp_offset
        self._accepted: Container[int] = ()
        self._codec = ""
        self._ptime_ms = 0
        self._extended: Collection[str] = ()
        self._rtcp: Address | None = None
        self._candidate: tuple[int, int, int] = (-1, 0, 0)  # SSRC, next number, packets in sequence
        self._heard_at = 0.0  # when the last packet of the source came
        self._collided_with: Address | None = None
        self._sent_since_report = False
        self._sent_at_news = 0  # packets_sent when the last report of the other side came
        self._heard_number = -1  # the highest number of ours that it knew then
        self._receiver_time: tuple[int, int, float] | None = None  # SSRC, its middle, when it came
        self._closed = False
        self.ssrc = self._random(4)
        self._sequence_number = self._random(2) >> 1  # RFC 3711 §3.3.1: away from the wrap
        self._timestamp = self._random(4)  # of the next packet
        self._event_began = 0  # the timestamp of the last event

    def configure(
        self,
        rtp: Address | None,
        rtcp: Address | None,
        accepted: Container[int],
        *,
        known: Container[str] = (),
        codec: str = "",
        ptime_ms: int = 20,
        extended: Collection[str] = (),
        now: float,
    ) -> None:
        """Take over the result of an SDP exchange. known: further hosts that may well send.

        accepted: payload types that may be received. extended: which of the extended reports
        METRICS and RECEIVER_TIMES the other side wants.
        """
        self.latch.expect(rtp, known)
        self._rtcp = rtcp
        self._accepted = accepted
        self._codec, self._ptime_ms, self._extended = codec, ptime_ms, extended
        self.deaf_reports = 0
        if self.deadline is None and not self._closed:
            self.deadline = now + self._report_delay(REPORT_INTERVAL / 2)

    def change_clock(self, clock_rate: int) -> None:
        """What is received comes with timestamps of this rate."""
        if self.source is not None and clock_rate != self.clock_rate:
            self.source.change_clock(clock_rate)
        self.clock_rate = clock_rate

    # --- RTP -----------------------------------------------------------------------------------

    def receive(self, data: bytes, source: Address, *, now: float) -> tuple[int, Packet] | None:
        """The packet in data with its extended sequence number, None if it is not for us."""
        try:
            received = packet.parse(data)
        except RemoteProtocolError:
            self.invalid += 1
            return None
        number = received.sequence_number
        if received.payload_type not in self._accepted:
            self.invalid += 1
            self.foreign += 1
            self.foreign_type = received.payload_type
            return None
        if not self.latch.admit(source, number, now):
            return None
        if received.ssrc == self.ssrc:
            self._collide(source, now)
            return None
        heard = self.source
        if heard is None or received.ssrc != heard.ssrc:
            if heard is not None and not self._believe(received, now):
                return None
            heard = self._hear(received)
        elif self._candidate[0] >= 0:
            self._candidate = (-1, 0, 0)
        restarts = heard.sequence.restarts
        extended = heard.update(number, received.timestamp, now)
        if extended is None:
            self.invalid += 1
            return None
        self._heard_at = now
        if heard.sequence.restarts != restarts:
            self.outbox.append(SourceChanged(heard.ssrc))
        return extended, received

    def packet(self, payload_type: int, payload: bytes, units: int, marker: bool) -> bytes:
        """The next packet to send; units: how long the payload lasts."""
        self._sequence_number = number = (self._sequence_number + 1) & 0xFFFF
        timestamp = self._timestamp
        self._timestamp = (timestamp + units) % MAX_CLOCK
        self.packets_sent += 1
        self.octets_sent += len(payload)
        self._sent_since_report = True
        return packet.build(payload_type, marker, number, timestamp, self.ssrc, payload)

    def event_packet(self, payload_type: int, payload: bytes, units: int, begins: bool) -> bytes:
        """The next packet, of an event: RFC 4733 §2.5.1.2, all its packets have the timestamp of
        its beginning, also after a pause, and the first has the marker; time goes on by `units`."""
        upcoming = self._timestamp
        if begins:
            self._event_began = upcoming
        self._timestamp = self._event_began
        made = self.packet(payload_type, payload, units, begins)
        self._timestamp = (upcoming + units) % MAX_CLOCK
        return made

    def pause(self, units: int) -> None:
        """Nothing is sent for this long; the timestamps go on (RFC 3550 §5.1)."""
        self._timestamp = (self._timestamp + units) % MAX_CLOCK

    # --- RTCP ----------------------------------------------------------------------------------

    def receive_rtcp(self, data: bytes, source: Address, *, now: float) -> None:
        """Reports of the other side; anything from another host than the stream is refused."""
        address = self.latch.address
        if address is None or source[0] != address[0]:
            self.latch.refused += 1
            return
        try:
            packets = rtcp.parse(data)
        except RemoteProtocolError:
            self.invalid += 1
            return
        self._rtcp = source
        for item in packets:
            if isinstance(item, rtcp.Report):
                self._reported(item, now)
            elif isinstance(item, xr.ExtendedReport):
                self._told_more(item, now)
            elif isinstance(item, rtcp.Bye) and self.source and self.source.ssrc in item.ssrcs:
                self.outbox.append(SourceEnded(self.source.ssrc, item.reason))

    def wake(self, *, now: float) -> None:
        """Send a report when it is due."""
        if self.deadline is None or now < self.deadline:
            return
        self.deadline = now + self._report_delay(REPORT_INTERVAL)
        self._send_rtcp(self._report(now), self._description(), *self._extended_report(now))
        self._sent_since_report = False

    def announce(self, *, now: float) -> None:
        """Say which instant the first timestamp stands for, before the packet that has it: who
        plays it together with others must know that already."""
        self._sent_since_report = True  # as good as: a receiver report would say nothing
        self.deadline = now
        self.wake(now=now)

    def close(self, *, now: float) -> None:
        """Say BYE (RFC 3550 §6.3.7), if anything of us was ever heard, and send no more."""
        if self._closed:
            return
        self._closed = True
        self.deadline = None
        if self.packets_sent:
            told = (self._report(now), self._description(), *self._extended_report(now))
            self._send_rtcp(*told, rtcp.Bye((self.ssrc,)))

    @property
    def counts(self) -> Counts:
        """What was played of the stream so far, and what was missing."""
        return self.jitter.counts if self.jitter is not None else Counts()

    def quality(self, since: Counts | None = None) -> Quality | None:
        """How well the stream is heard, from the beginning or since then.

        None while it is not played, or where its codec cannot be judged.
        """
        jitter = self.jitter
        if jitter is None:
            return None
        counts = jitter.counts if since is None else jitter.counts.since(since)
        waits = 1000.0 * (max(0.0, jitter.slack) + (self.round_trip or 0.0) / 2)
        return quality(counts, self._codec, self._ptime_ms + waits)

    def _reported(self, report: rtcp.Report, now: float) -> None:
        if report.sender is not None and self.source and self.source.ssrc == report.ssrc:
            self.source.sender_report(report.sender.ntp_middle, now)
        block = next((block for block in report.blocks if block.ssrc == self.ssrc), None)
        self._hears(block.highest_sequence if block is not None else -1, now)
        if block is not None:
            self.remote_loss = block.fraction_lost / 256
            if block.last_sender_report:
                self._measure(block.last_sender_report, block.delay, now)

    def _hears(self, number: int, now: float) -> None:
        """The highest number of ours that a report knows, -1 if none; is it any of the last?"""
        if 0 <= self.packets_sent - self._sent_at_news < SENT_ENOUGH:
            return
        self._sent_at_news = self.packets_sent
        if number >= 0 and number != self._heard_number:
            self.deaf_reports = 0
        else:
            if not self.deaf_reports:
                self.deaf_since = now
            self.deaf_reports += 1
        self._heard_number = number

    def _measure(self, last: int, delay: int, now: float) -> None:
        """RFC 3550 §6.4.1, RFC 3611 §4.5: A - LSR - DLSR, in 1/65536 s."""
        round_trip = ((self._ntp(now) >> 16) - last - delay) % MAX_CLOCK
        if round_trip < MAX_CLOCK // 2:  # not negative
            self.round_trip = round_trip / 65536

    def _told_more(self, report: xr.ExtendedReport, now: float) -> None:
        for block in report.blocks:
            match block:
                case xr.VoipMetrics() if block.ssrc == self.ssrc:
                    self.remote_metrics = block
                case xr.ReceiverTime(ntp):
                    self._receiver_time = (report.ssrc, ntp >> 16 & 0xFFFFFFFF, now)
                case xr.DelaySinceLast(delays):
                    for ssrc, last, delay in delays:
                        if ssrc == self.ssrc and last:
                            self._measure(last, delay, now)
                case _:
                    pass

    def _extended_report(self, now: float) -> tuple[rtcp.RtcpPacket, ...]:
        """What the other side wants to know besides; nothing if that is nothing."""
        blocks: list[xr.Block] = []
        if RECEIVER_TIMES in self._extended:
            if not self._sent_since_report:  # else the sender report does it
                blocks.append(xr.ReceiverTime(self._ntp(now)))
            if self._receiver_time is not None:
                ssrc, middle, came = self._receiver_time
                delay = min(round((now - came) * 65536), 0xFFFFFFFF)
                blocks.append(xr.DelaySinceLast((xr.ReceiverDelay(ssrc, middle, delay),)))
        if METRICS in self._extended and (metrics := self._metrics()) is not None:
            blocks.append(metrics)
        return (xr.ExtendedReport(self.ssrc, tuple(blocks)),) if blocks else ()

    def _metrics(self) -> xr.VoipMetrics | None:
        found, jitter = self.quality(), self.jitter
        if found is None or jitter is None or self.source is None:
            return None
        return xr.metrics(
            self.source.ssrc,
            found,
            jitter.bursts,
            ptime_ms=self._ptime_ms,
            round_trip_ms=1000.0 * (self.round_trip or 0.0),
            buffer_ms=1000.0 * max(0.0, jitter.slack),
            longest_ms=1000.0 * jitter.longest,
        )

    def _report(self, now: float) -> rtcp.Report:
        sender = None
        if self._sent_since_report:
            sender = rtcp.SenderInfo(
                self._ntp(now), self._timestamp, self.packets_sent, self.octets_sent % MAX_CLOCK
            )
        return rtcp.Report(self.ssrc, sender, (self.source.report(now),) if self.source else ())

    def _description(self) -> rtcp.Description:
        return rtcp.Description(((self.ssrc, self._cname),))

    def _send_rtcp(self, *packets: rtcp.RtcpPacket) -> None:
        if self._rtcp is not None:
            self.outbox.append(SendRtcp(rtcp.compound(packets), self._rtcp))

    def _report_delay(self, interval: float) -> float:
        """RFC 3550 §6.3.1: between half and one and a half times the interval, compensated."""
        return interval * (0.5 + self._random(4) / MAX_CLOCK) / _COMPENSATION

    def _ntp(self, now: float) -> int:
        return int((now + self._ntp_offset) * MAX_CLOCK) & 0xFFFFFFFFFFFFFFFF

    # --- Sources -------------------------------------------------------------------------------

    def _believe(self, received: Packet, now: float) -> bool:
        """True when another source than the one heard has sent two packets in sequence, and that
        one has fallen silent: who guesses SSRC and address of a peer does not speak over it."""
        if now - self._heard_at < SOURCE_SILENCE:
            return False
        ssrc, upcoming, count = self._candidate
        in_sequence = ssrc == received.ssrc and upcoming == received.sequence_number
        count = count + 1 if in_sequence else 1
        self._candidate = (received.ssrc, (received.sequence_number + 1) & 0xFFFF, count)
        return count >= MIN_SEQUENTIAL

    def _hear(self, received: Packet) -> Reception:
        if self.source is not None:
            self.outbox.append(SourceChanged(received.ssrc))
        self._candidate = (-1, 0, 0)
        self.source = Reception(received.ssrc, received.sequence_number, self.clock_rate)
        return self.source

    def _collide(self, source: Address, now: float) -> None:
        """RFC 3550 §8.2: leave a colliding SSRC, once; after that it is our own echo."""
        self.invalid += 1
        if source == self._collided_with:
            return
        self._collided_with = source
        self._send_rtcp(self._report(now), self._description(), rtcp.Bye((self.ssrc,)))
        self.ssrc = self._random(4)
        self.packets_sent = self.octets_sent = 0

    def _random(self, octets: int) -> int:
        return int.from_bytes(self._random_bytes(octets), "big")
