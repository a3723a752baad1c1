"""Links and addresses that come and go, as facts (CON-01: address change).

Publishes: AddressChanged, LinkLost. Where the kernel tells nothing, nothing is told.
"""

import logging
import socket
from pathlib import Path
from typing import Final

from sipstrobe.context import Context
from sipstrobe.events import AddressChanged, Event, LinkLost
from sipstrobe.io.netlink import NetlinkSocket, News, What

logger = logging.getLogger(__name__)

_INTERFACES: Final = Path("/sys/class/net")
MAX_LINKS: Final = 64  # remembered as lost; of more, the one that has been longest is let go
MAX_ADDRESSES: Final = 1024


class Links:
    """Listens to the kernel from `open` on."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._names: dict[int, str] = {}
        self._up: set[str] = set()
        self._lost: dict[str, None] = {}
        self._addresses: dict[tuple[str, str], None] = {}  # that have been told of
        self._socket: NetlinkSocket | None = None

    def open(self) -> None:
        """Listen from now on; a link that is down already is no news."""
        try:
            self._names = dict(socket.if_nameindex())
            self._up = {name for name in self._names.values() if _has_link(name)}
            self._socket = NetlinkSocket(self.take)
        except OSError as error:
            logger.warning("links that are lost are not noticed: %s", error)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def take(self, news: News) -> None:
        """Something has happened to the network."""
        name = self._name(news.index)
        match news.what:
            case What.LINK_DOWN:
                self._lose(name)
            case What.LINK_UP:
                self._up.add(name)
                if name in self._lost:
                    del self._lost[name]
                    self._publish(LinkLost(interface=name, lost=False))
            case What.ADDRESS_ADDED | What.ADDRESS_REMOVED:
                for address in news.addresses:
                    self._note(name, address, added=news.what is What.ADDRESS_ADDED)
            case _:
                pass

    def _lose(self, name: str) -> None:
        if name not in self._up:  # it never had one
            return
        self._up.remove(name)
        if len(self._lost) >= MAX_LINKS:
            oldest = next(iter(self._lost))
            del self._lost[oldest]
            self._publish(LinkLost(interface=oldest, lost=False))
        self._lost[name] = None
        self._publish(LinkLost(interface=name, lost=True))

    def _note(self, name: str, address: str, *, added: bool) -> None:
        """An address is news of the kernel again when its flags change, and not to us."""
        key = (name, address)
        known = key in self._addresses
        if added and known:
            return
        if added:
            if len(self._addresses) >= MAX_ADDRESSES:
                del self._addresses[next(iter(self._addresses))]
            self._addresses[key] = None
        else:
            self._addresses.pop(key, None)
        self._publish(AddressChanged(interface=name, address=address, added=added))

    def _name(self, index: int) -> str:
        """As long as the link is there; then as it was."""
        if index:
            try:
                self._names[index] = socket.if_indextoname(index)
            except OSError:
                return self._names.get(index, f"link {index}")
        return self._names.get(index, "")

    def _publish(self, event: Event) -> None:
        now = self._context.clock.now()
        with self._context.trace.input("network", "it has changed", now):
            self._context.bus.publish(event)


def _has_link(name: str) -> bool:
    try:
        return (_INTERFACES / name / "carrier").read_text("ascii").strip() == "1"
    except OSError:  # it is switched off
        return False
