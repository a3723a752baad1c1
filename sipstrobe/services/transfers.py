"""Calls that we make because the other side of a call sends us elsewhere (REFER, RFC 3515).

Listens to: CallStateChanged.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import CallReason, CallStateChanged, CallStatus
from sipstrobe.machine import Driver
from sipstrobe.services.accounts import Accounts
from sipstrobe.services.calls import Call
from sipstrobe.services.switchboard import Switchboard
from sipstrobe.sip.account import Account
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.outputs import Output, TransferAsked
from sipstrobe.sip.uri import readable

logger = logging.getLogger(__name__)

Fields = tuple[tuple[str, str], ...]
CallFor = Callable[[str, Account, Fields], str]
"""Begin a call whose INVITE says this besides; the result is its name. Raises CommandRefused."""

LEAVE_AFTER: Final = 5.0  # seconds that the other side has to hang up, once it is told of success
OK: Final = 200
REFUSED: Final = 503  # Service Unavailable
_STATUS: Final = {
    CallReason.BUSY: 486,
    CallReason.DENIED: 603,
    CallReason.NO_ANSWER: 408,
    CallReason.TERMINATED: 487,
}


class Transfers:
    """Call where we are sent, and report what comes of it.

    The old call is the other side's to end (RFC 5589 §6.1); if it does not, we do.
    """

    def __init__(
        self,
        context: Context,
        driver: Driver[Output],
        endpoint: Endpoint,
        board: Switchboard,
        accounts: Accounts,
        call: CallFor,
    ) -> None:
        self._driver = driver
        self._endpoint = endpoint
        self._board = board
        self._accounts = accounts
        self._call = call
        self._clock, self._trace = context.clock, context.trace
        self._following: dict[str, str] = {}  # the call that is made -> the leg that asked for it
        self._leaving: dict[str, Handle] = {}  # calls that have been transferred
        board.on_end.append(self._leave_no_more)
        context.bus.subscribe(CallStateChanged, self._hear)

    def take(self, news: TransferAsked) -> None:
        """The other side of a call wants us to call somebody."""
        call, _ = self._board.leg(news.call)
        logger.info("call %s is sent to %s", call.id, readable(news.uri))
        try:
            account = self._accounts.named(call.account)
            made = self._call(news.uri, account, news.fields)
        except CommandRefused as refusal:
            logger.warning("call %s is not transferred: %s", call.id, refusal)
            self._report(news.call, REFUSED)
        else:
            self._following[made] = news.call

    def _hear(self, event: CallStateChanged) -> None:
        if event.call not in self._following:
            return
        if event.state is CallStatus.ACTIVE:
            leg = self._following.pop(event.call)
            self._report(leg, OK)
            self._leave_soon(leg)
        elif event.state is CallStatus.TERMINATED:
            leg = self._following.pop(event.call)
            self._report(leg, _STATUS.get(event.reason, REFUSED))

    def _report(self, leg: str, status: int) -> None:
        self._driver.feed(self._endpoint.report_transfer, leg, status)

    def _leave_soon(self, leg: str) -> None:
        call = self._board.legs.get(leg)
        if call is not None:
            at = self._clock.now() + LEAVE_AFTER
            self._leaving[call.id] = self._clock.call_at(at, partial(self._leave, call))

    def _leave(self, call: Call) -> None:
        with self._trace.input("timer", "transferred", self._clock.now()):
            self._board.end(call)

    def _leave_no_more(self, call: Call) -> None:
        timer = self._leaving.pop(call.id, None)
        if timer is not None:
            timer.cancel()
