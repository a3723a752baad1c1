"""One channel of desk phones as it is heard: who speaks, since when, and until when.

The first who alerts or speaks has the channel until his End, or until he falls silent; what others
send meanwhile is not mixed into it. Of those who only alert so far, the lowest serial number has
it, as among the phones themselves (`group_paging`). A talker is an address and a serial number, as
some senders all have the same number.

Every packet repeats the sound of the one before, which is heard where that one was lost.
"""

from collections import deque
from typing import Final, NamedTuple

from sipstrobe.multicast.group_paging import ENDS, INTERVAL, OpCode, Packet
from sipstrobe.multicast.stream import (
    FORGETTING,
    LATE,
    LONGEST_END,
    LONGEST_INTERVAL,
    PATIENCE,
    SHORTEST_END,
    Ended,
    Endpoint,
    Output,
    Restarted,
    Started,
)

ALERTED: Final = 1.0  # seconds after an Alert in which another or the first sound comes
ENDING: Final = ENDS * INTERVAL  # seconds after an End in which sound is of what has ended
MAX_STEP: Final = 40  # frames to the next packet that are still the same run …
MAX_MISORDER: Final = 10  # … and back to one that has been overtaken
_WRAP: Final = 1 << 32


class Frame(NamedTuple):
    """Sound that is to be heard. timestamp: in bytes, which last 125 µs with all codecs."""

    sequence: int
    timestamp: int
    payload: bytes


class ChannelStream:
    """The machine of one channel."""

    def __init__(self) -> None:
        self.outbox: deque[Output] = deque()
        self.deadline: float | None = None  # when it has ended, unless a packet comes before
        self.caller_id = ""  # of who speaks, or did last
        self.strangers = 0  # packets of others while somebody had the channel
        self._talker: tuple[str, int] | None = None  # host and serial number
        self._ended: tuple[tuple[str, int] | None, float] = (None, 0.0)
        self._sequence = 0  # of the newest frame
        self._timestamp = 0  # where it ends
        self._count = 0  # sample count of the newest packet
        self._step = 0  # by which it grows with each; 0: not known yet
        self._audio = b""  # of the newest packet; empty: it has only alerted
        self._frame = 0  # bytes of what was new in it; 0: not known, since it was the first
        self._came_at = 0.0
        self._interval = LONGEST_END / PATIENCE

    def receive(self, source: Endpoint, packet: Packet, *, now: float) -> tuple[Frame, ...]:
        """A packet for the channel, and what of it is to be heard."""
        self.wake(now=now)
        who = (source[0], packet.serial_number)
        match packet.op:
            case OpCode.ALERT:
                self._alert(who, source, packet, now)
            case OpCode.END:
                if who == self._talker:
                    self._ended = (who, now)
                    self._end(said=True)
            case OpCode.TRANSMIT:
                return self._transmit(who, source, packet, now)
        return ()

    def wake(self, *, now: float) -> None:
        """The deadline may have come."""
        if self.deadline is not None and now >= self.deadline:
            self._end(said=False)

    def _alert(self, who: tuple[str, int], source: Endpoint, packet: Packet, now: float) -> None:
        talker = self._talker
        if talker is None or (not self._audio and who[1] < talker[1]):
            self._begin(who, source, packet)
        elif who != talker:
            self.strangers += 1
            return
        if not self._audio:
            self.deadline = now + ALERTED

    def _transmit(
        self, who: tuple[str, int], source: Endpoint, packet: Packet, now: float
    ) -> tuple[Frame, ...]:
        if self._talker is None:
            ended, at = self._ended
            if who == ended and now < at + ENDING:
                return ()  # overtaken by the End
            self._begin(who, source, packet)
        elif who != self._talker:
            self.strangers += 1
            return ()
        if not self._audio:
            return self._run(packet, now)
        delta = (packet.sample_count - self._count + _WRAP // 2) % _WRAP - _WRAP // 2
        size, repeats = self._repeated(packet.audio)
        if repeats and delta > 0 and (not self._step or delta < self._step):
            self._step = delta
        ahead = round(delta / (self._step or size or len(packet.audio)))
        if not -MAX_MISORDER <= ahead <= MAX_STEP:
            self.outbox.append(Restarted())
            return self._run(packet, now)
        if ahead <= 0:
            frame = len(packet.audio) - size
            at = self._timestamp + (ahead - 1) * frame
            return (Frame(self._sequence + ahead, at, packet.audio[size:]),)
        return self._go_on(packet, ahead, size, now)

    def _run(self, packet: Packet, now: float) -> tuple[Frame, ...]:
        """The first packet that is heard: what it repeats, if anything, has not been heard."""
        self._sequence += 1
        frame = Frame(self._sequence, self._timestamp, packet.audio)
        self._timestamp += len(packet.audio)
        self._step = self._frame = 0
        self._expect(packet, LONGEST_END / PATIENCE, now)
        return (frame,)

    def _repeated(self, audio: bytes) -> tuple[int, bool]:
        """How many bytes are of the packet before, and whether the last packet was that."""
        last = len(self._audio)
        for size in (self._frame,) if self._frame else (last, last // 2):
            if 0 < size < len(audio) and self._audio.endswith(audio[:size]):
                return size, True
        if self._frame:
            return self._frame if len(audio) > self._frame else 0, False
        return len(audio) // 2, False

    def _go_on(self, packet: Packet, ahead: int, size: int, now: float) -> tuple[Frame, ...]:
        """size: how many bytes are of the packet before."""
        repeated, new = packet.audio[:size], packet.audio[size:]
        at = self._timestamp + (ahead - 1) * len(new)
        self._sequence += ahead
        self._timestamp = at + len(new)
        self._frame = len(new)
        gap = now - self._came_at
        interval = max(min(gap, LONGEST_INTERVAL), self._interval * FORGETTING)
        self._expect(packet, interval, now)
        frame = Frame(self._sequence, at, new)
        if ahead == 1 or not repeated:
            return (frame,)
        return (Frame(self._sequence - 1, at - len(repeated), repeated), frame)

    def _expect(self, packet: Packet, interval: float, now: float) -> None:
        self._count, self._audio = packet.sample_count, packet.audio
        self._came_at, self._interval = now, interval
        patience = min(max(PATIENCE * interval, SHORTEST_END), LONGEST_END)
        self.deadline = now + max(patience, LATE * interval)

    def _begin(self, who: tuple[str, int], source: Endpoint, packet: Packet) -> None:
        self._talker, self.caller_id = who, packet.caller_id
        self._audio = b""
        self.outbox.append(Started(source, packet.serial_number))

    def _end(self, *, said: bool) -> None:
        self._talker = self.deadline = None
        self._audio = b""
        self.outbox.append(Ended(said))
