"""Who else speaks to a group that we may speak to: of two at once, nobody is understood.

Receivers hear the first who speaks until his end. So whoever comes second waits until then.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sipstrobe.clock import Clock, Handle
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.io.udp import Endpoint
from sipstrobe.multicast.stream import Ended, GroupStream, Started
from sipstrobe.rtp import packet as rtp
from sipstrobe.rtp import rtcp

if TYPE_CHECKING:
    from sipstrobe.rtp.group_srtp import GroupSrtp

RTCP_TYPES: Final = range(192, 224)  # RFC 5761 §4
OWN: Final = 8  # streams of ours that packets may still be on the way of
_CLOCK_RATE: Final = 8000  # that most have; with another a talker begins anew, and is the same


class OwnStreams:
    """The streams that this device has sent to a group of late. All sockets of the machine that
    have joined the group are given them as well."""

    def __init__(self) -> None:
        self._ssrcs: dict[int, bytes] = {}  # by port, the oldest first

    def add(self, port: int, ssrc: int) -> None:
        """One that begins. port: of ours, that it is sent from."""
        self._ssrcs.pop(port, None)
        self._ssrcs[port] = ssrc.to_bytes(4, "big")
        if len(self._ssrcs) > OWN:
            del self._ssrcs[next(iter(self._ssrcs))]

    def __contains__(self, datagram: tuple[bytes, Endpoint]) -> bool:
        """Whether we have sent this datagram, RTP or RTCP, encrypted or not: by the port that it
        comes from and by its SSRC."""
        data, source = datagram
        ssrc = self._ssrcs.get(source[1])
        return ssrc is not None and ssrc in (data[8:12], data[4:8])


class AllOwn:
    """The streams of several who send."""

    def __init__(self, *streams: OwnStreams) -> None:
        self._streams = streams

    def __contains__(self, datagram: tuple[bytes, Endpoint]) -> bool:
        return any(datagram in own for own in self._streams)


class Floor:
    """Hears a group, and says who has the floor there."""

    def __init__(
        self,
        clock: Clock,
        own: OwnStreams,
        srtp: "GroupSrtp | None",
        on_change: Callable[[], None],
    ) -> None:
        """srtp: then only who has the key counts. on_change: told when somebody begins or ends."""
        self._clock = clock
        self._own = own
        self._srtp = srtp
        self._on_change = on_change
        self._group = GroupStream()
        self._timer: Handle | None = None

    @property
    def talker(self) -> str:
        """The address of who speaks; empty: nobody."""
        return "" if self._group.talker is None else self._group.talker[0]

    @property
    def ssrc(self) -> int:
        """Of who speaks."""
        return self._group.ssrc

    def receive(self, data: bytes, source: Endpoint, received_at: float) -> None:
        """A datagram for the port of RTP."""
        if (data, source) in self._own:
            return
        if len(data) > 1 and data[1] in RTCP_TYPES:
            self.receive_rtcp(data, source, received_at)
            return
        opened = data if self._srtp is None else self._srtp.open(data)
        if opened is None:
            return
        try:
            found = rtp.parse(opened)
        except RemoteProtocolError:
            return
        number, timestamp = found.sequence_number, found.timestamp
        self._group.packet(source, found.ssrc, number, timestamp, _CLOCK_RATE, now=received_at)
        self._settle()

    def receive_rtcp(self, data: bytes, source: Endpoint, received_at: float) -> None:
        """A datagram for the port of RTCP."""
        if (data, source) in self._own:
            return
        opened = data if self._srtp is None else self._srtp.open_rtcp(data)
        if opened is None:
            return
        try:
            found = rtcp.parse(opened)
        except RemoteProtocolError:
            return
        for item in found:
            if isinstance(item, rtcp.Bye):
                self._group.bye(source, item.ssrcs)
        self._settle()

    def close(self) -> None:
        """Hear nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _settle(self) -> None:
        news = list(self._group.outbox)
        self._group.outbox.clear()
        if self._timer is None and self._group.deadline is not None:
            self._timer = self._clock.call_at(self._group.deadline, self._look)
        if any(isinstance(item, Started | Ended) for item in news):
            self._on_change()

    def _look(self) -> None:
        self._timer = None
        self._group.wake(now=self._clock.now())
        self._settle()
