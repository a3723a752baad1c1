"""The network under us: what it becomes is told to those who depend on it, at once but not hourly.

Where the kernel tells nothing, nothing is told.
"""

import logging
from collections.abc import Callable

from msgspec import Struct

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.io.netlink import NetlinkSocket, News, What

logger = logging.getLogger(__name__)

SETTLE = 0.05  # seconds from the first news until it is told: it comes in bursts


class Changes(Struct, frozen=True):
    """returned: our addresses whose link is back; lost: those that we no longer have.

    unknown: anything may have changed.
    """

    returned: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    unknown: bool = False


class Network:
    """Listens to the kernel."""

    def __init__(self, context: Context, changed: Callable[[Changes], None]) -> None:
        self._context = context
        self._changed = changed
        self._changes: Changes | None = None
        self._timer: Handle | None = None
        self._socket: NetlinkSocket | None = None

    def open(self) -> None:
        """Listen from now on."""
        if self._socket is not None:
            return
        try:
            self._socket = NetlinkSocket(self._told)
        except OSError as error:
            logger.warning("changes of the network are not noticed: %s", error)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _told(self, news: News) -> None:
        known = self._changes or Changes()
        match news.what:
            case What.LINK_DOWN:
                return  # there is nothing to be done before it is back
            case What.LINK_UP:
                known = Changes(known.returned | news.addresses, known.lost, known.unknown)
            case What.ADDRESS_REMOVED:
                known = Changes(known.returned, known.lost | news.addresses, known.unknown)
            case What.ADDRESS_ADDED:
                known = Changes(known.returned, known.lost - news.addresses, known.unknown)
            case What.ROUTE_ADDED | What.ROUTE_REMOVED:
                pass
            case What.LOST:
                known = Changes(known.returned, known.lost, unknown=True)
        self._changes = known
        if self._timer is None:
            clock = self._context.clock
            self._timer = clock.call_at(clock.now() + SETTLE, self._tell)

    def _tell(self) -> None:
        self._timer = None
        changes, self._changes = self._changes, None
        assert changes is not None
        with self._context.trace.input("network", "it has changed", self._context.clock.now()):
            self._changed(changes)
