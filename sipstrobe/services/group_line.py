"""A group that may be spoken to, for whoever does: heard first, so that nobody is interrupted."""

from collections.abc import Callable
from typing import Final, Protocol

from sipstrobe.io.multicast import Group, GroupSockets
from sipstrobe.io.multicast_sender import MulticastSender
from sipstrobe.io.udp import Receive
from sipstrobe.multicast.relay import RelaySettings
from sipstrobe.services.talker import Group as Outlet

RETRY: Final = 1.0  # seconds from one attempt at a group that cannot be reached to the next
COLLISION: Final = 0.1  # seconds after our beginning in which another's is taken for simultaneous,
# and after we have begun to listen, in which he is taken for one who spoke before


class Mouth(Outlet, Protocol):
    """Speaks to a group. Sending raises MediaError."""

    @property
    def local_port(self) -> int: ...

    def close(self) -> None: ...


class Line(Protocol):
    """A group: to hear it, and to speak to it."""

    def join(self, wanted: RelaySettings, rtp: Receive, rtcp: Receive) -> None:
        """Hear it until `leave`. Raises OSError."""
        ...

    def leave(self) -> None: ...

    def speak(self, wanted: RelaySettings) -> Mouth:
        """Raises MediaError."""
        ...


class GroupLine:
    """A group of the network. sockets: also of all others that hear groups, since a group can only
    be joined anew for all of them together."""

    def __init__(self, sockets: GroupSockets) -> None:
        self._sockets = sockets
        self._joined: list[Callable[[], None]] = []

    def join(self, wanted: RelaySettings, rtp: Receive, rtcp: Receive) -> None:
        """As `Line` says."""
        try:
            for port, receive in ((wanted.port, rtp), (wanted.port + 1, rtcp)):
                group = Group(wanted.address, port, wanted.interface)
                self._joined.append(self._sockets.join(group, receive))
        except OSError:
            self.leave()
            raise

    def leave(self) -> None:
        """As `Line` says."""
        while self._joined:
            self._joined.pop()()

    def speak(self, wanted: RelaySettings) -> Mouth:
        """As `Line` says."""
        return MulticastSender(
            wanted.address,
            wanted.port,
            ttl=wanted.ttl,
            interface=wanted.interface,
            blocking=False,
        )
