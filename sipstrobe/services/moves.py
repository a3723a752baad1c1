"""Calls whose address of ours is gone go on from the one that has come in its place.

The peer is told by a re-INVITE (RFC 3261 §12.2.1.2, §14.1) that names the new address for
signalling and media. A call that is not answered yet ends by its own timers.
"""

import logging

from sipstrobe.events import CallStatus
from sipstrobe.machine import Driver
from sipstrobe.services.calls import Call
from sipstrobe.services.network import Changes
from sipstrobe.services.switchboard import Switchboard
from sipstrobe.services.transports import SipTransports
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.outputs import Output

logger = logging.getLogger(__name__)

_ANSWERED = (CallStatus.ACTIVE, CallStatus.PIN)


class Moves:
    """Sees to the calls when addresses come and go."""

    def __init__(
        self,
        driver: Driver[Output],
        endpoint: Endpoint,
        transports: SipTransports,
        board: Switchboard,
    ) -> None:
        self._driver = driver
        self._endpoint = endpoint
        self._transports = transports
        self._board = board
        self._stranded: dict[str, None] = {}  # calls whose address of ours is gone
        board.on_end.append(self._forget)

    def network_changed(self, changes: Changes) -> None:
        """Move what can be moved; the rest waits for the next change."""
        for call in self._board.calls.values():
            if call.flow is not None and call.flow.local.host in changes.lost:
                self._stranded[call.id] = None
        for name in list(self._stranded):
            self._move(self._board.calls[name])

    def _move(self, call: Call) -> None:
        before, media = call.flow, call.media
        if before is None or media is None or call.leg is None:
            return
        to = before.remote
        flow = self._transports.flow_to(
            before.transport, to.host, to.port, server_name=before.server_name
        )
        if flow is None:
            return  # there is no way yet
        self._forget(call)
        if flow.local.host == before.local.host or call.state not in _ANSWERED:
            return
        if media.path is not None:
            logger.warning("call %s: %s is gone, and so is its sound", call.id, before.local.host)
            return
        logger.info("call %s goes on from %s", call.id, flow.local.host)
        call.flow = flow
        self._driver.feed(self._endpoint.move, call.leg, flow, media.move(flow.local.host))

    def _forget(self, call: Call) -> None:
        self._stranded.pop(call.id, None)
