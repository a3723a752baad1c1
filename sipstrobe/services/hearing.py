"""Never deaf: sees to it that what is sent to the groups of the device goes on to reach it.

Nothing of this is open while no group is joined.
"""

import logging
from ipaddress import ip_address
from typing import Any

from sipstrobe.context import Context
from sipstrobe.events import HearingChanged, HearingState
from sipstrobe.io import igmp
from sipstrobe.io.igmp import MembershipLists, MembershipSocket
from sipstrobe.io.multicast import GroupSockets
from sipstrobe.multicast.hearing import (
    Hearing,
    HearingWatch,
    Look,
    Membership,
    Output,
    Rejoin,
)
from sipstrobe.multicast.querier import DEFAULT, Link, Query
from sipstrobe.services.beside import beside
from sipstrobe.services.network import Changes, Network
from sipstrobe.services.seldom import Seldom

logger = logging.getLogger(__name__)


class NeverDeaf:
    """Watches the memberships of some sockets, says how it stands, and joins anew."""

    def __init__(self, context: Context, sockets: GroupSockets) -> None:
        self._context = context
        self._sockets = sockets
        self._watch = HearingWatch(context.random_bytes)
        self._driver = context.driver(self._watch, self._do, name="hearing")
        self._network = Network(context, self._changed)
        self._socket: MembershipSocket | None = None
        self._memberships = 0
        self._state = HearingState.IDLE  # that was said last
        self._looking = False  # at the kernel's lists, in another thread
        self._said = Seldom(logger, context.clock)
        self._rejoins = context.measures.counter(
            "multicast_rejoins_total", "Groups joined anew, so that switches do not forget them"
        )
        sockets.told = self._told

    def silent(self, address: str, interface: str) -> None:
        """Somebody spoke to the group and has stopped without a good-bye."""
        self._driver.feed(self._watch.silent, _membership(address, interface))

    def returned(self, address: str, interface: str) -> None:
        """He is heard again, and of what he has said meanwhile something is lost."""
        self._driver.feed(self._watch.returned, _membership(address, interface))

    def snapshot(self) -> dict[str, Any]:
        hearing = self._watch.hearing
        return {"state": hearing.state.value, "words": hearing.words}

    def close(self) -> None:
        self._driver.close()
        self._shut()

    # --- memberships ----------------------------------------------------------------------------

    def _told(self, address: str, interface: str, joined: bool) -> None:
        membership = Membership(address, interface)
        self._memberships += 1 if joined else -1
        if joined and self._memberships == 1:
            self._open()
        self._driver.feed(self._watch.join if joined else self._watch.leave, membership)
        if not self._memberships:
            self._shut()

    def _open(self) -> None:
        self._network.open()
        problem = ""
        try:
            self._socket = MembershipSocket(self._context.clock, self._overheard)
        except PermissionError:
            problem = "this process may not listen to IGMP and MLD (CAP_NET_RAW)"
        except OSError as error:
            problem = f"IGMP and MLD cannot be listened to: {error.strerror or error}"
        self._driver.feed(self._watch.blind, problem)

    def _shut(self) -> None:
        self._network.close()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # --- what comes -----------------------------------------------------------------------------

    def _overheard(self, interface: str, version: int, message: igmp.Message, ours: bool) -> None:
        link = Link(interface, 4 if version == 4 else 6)
        if isinstance(message, igmp.Report):
            self._driver.feed(self._watch.reported, link, message.groups, ours=ours)
            return
        words = f"{message.sender} asks on {interface} which groups are wanted"
        with self._context.trace.input("network", words, self._context.clock.now()):
            self._driver.feed(self._watch.queried, link, _query(message), ours=ours)

    def _changed(self, changes: Changes) -> None:
        """Whatever it was: it does no harm to be known again."""
        self._driver.feed(self._watch.changed)

    # --- what is to be done ---------------------------------------------------------------------

    def _do(self, output: Output) -> None:
        match output:
            case Rejoin(membership):
                self._rejoin(membership)
            case Look():
                self._look()
            case Hearing(state, words):
                say = self._said.say if state is self._state else logger.info
                say("pages by multicast: %s. %s", state.value, words)
                self._state = state
                self._context.bus.publish(HearingChanged(state=state, words=words))

    def _rejoin(self, membership: Membership) -> None:
        self._rejoins.add()
        try:
            self._sockets.rejoin(membership.address, membership.interface)
        except OSError as error:
            problem = error.strerror or str(error)
            self._driver.feed(self._watch.failed, membership, problem)

    def _look(self) -> None:
        if self._looking:
            return  # what it finds will do
        self._looking = True
        lists = MembershipLists()
        found: dict[Link, set[str]] = {}

        def read() -> None:
            for (interface, version), groups in lists.read().items():
                found[Link(interface, 4 if version == 4 else 6)] = groups

        def then(failure: BaseException | None) -> None:
            self._looking = False
            if failure is not None:
                self._said.say("the list of memberships cannot be read: %s", failure)
            elif self._memberships:
                self._driver.feed(self._watch.memberships, found)

        beside("memberships", read, then)


def _membership(address: str, interface: str) -> Membership:
    return Membership(str(ip_address(address)), interface)


def _query(heard: igmp.Query) -> Query:
    return Query(
        heard.sender,
        general=not heard.group,
        response=DEFAULT.response if heard.response is None else heard.response,
        interval=heard.interval or DEFAULT.interval,
        robustness=heard.robustness or DEFAULT.robustness,
    )
