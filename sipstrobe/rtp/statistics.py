"""What reception reports tell about one source: RFC 3550 §6.4.1, appendices A.3 and A.8."""

from typing import Final

from sipstrobe.rtp.rtcp import MAX_LOST, MIN_LOST, ReportBlock
from sipstrobe.rtp.sequence import Sequence

_HALF: Final = 1 << 31
_WRAP: Final = 1 << 32


class Reception:
    """One source: its sequence numbers, loss and jitter, and its last sender report."""

    __slots__ = (
        "_clock_rate",
        "_expected_prior",
        "_jitter",
        "_last_arrival",
        "_last_timestamp",
        "_received_prior",
        "_report_middle",
        "_report_received",
        "received",
        "sequence",
        "ssrc",
    )

    def __init__(self, ssrc: int, first: int, clock_rate: int) -> None:
        self.ssrc = ssrc
        self.sequence = Sequence(first)
        self.received = 0
        self._clock_rate = clock_rate
        self._jitter = 0.0  # timestamp units
        self._last_arrival = 0.0
        self._last_timestamp: int | None = None
        self._expected_prior = 0
        self._received_prior = 0
        self._report_middle = 0
        self._report_received = 0.0

    def update(self, sequence_number: int, timestamp: int, now: float) -> int | None:
        """Count a packet and return its extended sequence number (see Sequence.extend)."""
        sequence = self.sequence
        restarts = sequence.restarts
        extended = sequence.extend(sequence_number)
        if extended is None:
            return None
        if sequence.restarts != restarts:
            self._restart()
        self.received += 1
        if timestamp != self._last_timestamp:  # packets of one instant say nothing about jitter
            self._measure(timestamp, now)
        return extended

    def change_clock(self, clock_rate: int) -> None:
        """The timestamps count at this rate from the next packet on (RFC 7160)."""
        self._jitter = self._jitter * clock_rate / self._clock_rate
        self._clock_rate = clock_rate
        self._last_timestamp = None

    def sender_report(self, ntp_middle: int, now: float) -> None:
        """Remember when a sender report came, so that the sender learns its round trip."""
        self._report_middle, self._report_received = ntp_middle, now

    @property
    def jitter(self) -> float:
        """Interarrival jitter in seconds: RFC 3550 §6.4.1."""
        return self._jitter / self._clock_rate

    @property
    def lost(self) -> int:
        """Packets lost so far; negative when duplicates came."""
        return self.sequence.expected - self.received

    def report(self, now: float) -> ReportBlock:
        """The report block for now; the fraction lost counts from the previous one."""
        expected = self.sequence.expected
        expected_interval = expected - self._expected_prior
        lost_interval = expected_interval - (self.received - self._received_prior)
        self._expected_prior, self._received_prior = expected, self.received
        fraction = 0
        if expected_interval > 0 and lost_interval > 0:
            fraction = min(255, (lost_interval << 8) // expected_interval)
        delay = round((now - self._report_received) * 65536) if self._report_middle else 0
        return ReportBlock(
            self.ssrc,
            fraction,
            max(MIN_LOST, min(MAX_LOST, expected - self.received)),
            self.sequence.reported,
            min(round(self._jitter), 0xFFFFFFFF),
            self._report_middle,
            min(delay, 0xFFFFFFFF),
        )

    def _measure(self, timestamp: int, now: float) -> None:
        """Appendix A.8: the mean deviation of the spacing, smoothed by 1/16."""
        if self._last_timestamp is not None:
            step = (timestamp - self._last_timestamp + _HALF) % _WRAP - _HALF
            deviation = abs((now - self._last_arrival) * self._clock_rate - step)
            if deviation < self._clock_rate:  # more is a jump of the timestamps, no jitter
                self._jitter += (deviation - self._jitter) / 16
        self._last_timestamp, self._last_arrival = timestamp, now

    def _restart(self) -> None:
        self.received = 0
        self._expected_prior = self._received_prior = 0
        self._last_timestamp = None
