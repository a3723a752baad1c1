"""The running calls, and the steps that both directions share."""

import logging
from collections.abc import Callable
from itertools import count

from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, RemoteProtocolError
from sipstrobe.events import CallReason, CallStatus, Direction
from sipstrobe.machine import Driver
from sipstrobe.services.call_media import CallMedia
from sipstrobe.services.calls import Call, CallSnapshot
from sipstrobe.services.turns import Turns
from sipstrobe.services.verdicts import Verdicts
from sipstrobe.sip.account import Account
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.grammar import quote
from sipstrobe.sip.outputs import CallEnded, Ended, Output

logger = logging.getLogger(__name__)

Record = Callable[[CallSnapshot, str], None]
"""Told of a call that is about to end, and why, in words."""


class Switchboard:
    """Every call from its first step to its last, whoever began it."""

    def __init__(self, context: Context, driver: Driver[Output], endpoint: Endpoint) -> None:
        self.calls: dict[str, Call] = {}
        self.legs: dict[str, Call] = {}  # by the endpoint's name
        self._context = context
        self._driver = driver
        self._endpoint = endpoint
        self._serials = count(1)
        self._verdicts = Verdicts(context)
        self.turns = Turns(context)
        self.on_leg: list[Callable[[str, str], None]] = []  # told the call and its new leg
        self.on_begin: list[Callable[[Call], None]] = []  # told of a call that is active …
        self.on_end: list[Callable[[Call], None]] = []  # … or over, before anybody else is
        self.record: Record | None = None

    # --- finding --------------------------------------------------------------------------------

    def known(self, call: str) -> Call:
        """Raises CommandRefused when there is no such call."""
        found = self.calls.get(call)
        if found is None:
            raise CommandRefused("unknown_call", f"there is no call {call!r}")
        return found

    def leg(self, leg: str) -> tuple[Call, CallMedia]:
        """The call of whose leg there is news; it has media before it has a leg."""
        call = self.legs[leg]
        assert call.media is not None
        return call, call.media

    # --- steps ----------------------------------------------------------------------------------

    def begin(
        self,
        direction: Direction,
        account: Account,
        *,
        local_uri: str,
        remote_uri: str,
        extension: str = "",
    ) -> Call:
        """A call that has just come, or is about to be made; nobody is told yet."""
        prefix = "in" if direction is Direction.INCOMING else "out"
        call = Call(
            id=f"{prefix}-{next(self._serials)}",
            direction=direction,
            account=account.name,
            local_uri=local_uri,
            remote_uri=remote_uri,
            extension=extension,
            since=self._context.clock.now(),
        )
        self.calls[call.id] = call
        return call

    def enter_leg(self, call: Call, leg: str) -> None:
        """The endpoint knows the call by this name."""
        call.leg = leg
        self.legs[leg] = call
        for told in self.on_leg:
            told(call.id, leg)

    def activate(self, call: Call, reason: CallReason) -> None:
        call.since = self._context.clock.now()
        if not call.delayed:
            self.turns.enter(call)
        for told in self.on_begin:
            told(call)
        self.move(call, CallStatus.ACTIVE, reason)
        self._verdicts.follow(call)
        if call.media is not None:
            call.media.activate()

    def move(self, call: Call, state: CallStatus, reason: CallReason) -> None:
        """State first, so that a rule triggered by the change finds it to hold already."""
        change = call.moved(state, reason)
        self._context.bus.publish(call.property(), change)

    def hear(self, call: Call) -> None:
        """The other side has begun to speak; a caller of ours also before the answer."""
        if call.state is not CallStatus.PIN and not call.delayed:
            self.turns.enter(call)
        self.turns.speak(call)

    def take_answer(self, call: Call, media: CallMedia, body: bytes) -> bool:
        """The answer to our offer; False when it cannot be used."""
        try:
            media.accept(body)
        except RemoteProtocolError as error:
            logger.info("call %s: the answer cannot be used: %s", call.id, error)
            return False
        return True

    # --- the end --------------------------------------------------------------------------------

    def refuse(self, call: Call, status: int, reason: CallReason, words: str = "") -> None:
        """A call that never sounds or lights: only its pulse tells of it. words: why, for the
        caller too (RFC 3261 §20.43); what the caller has said itself may be in them."""
        words = "".join(sign for sign in words if sign.isprintable())
        warning = (("Warning", f"399 - {quote(words)}"),) if words else ()
        self._driver.feed(self._endpoint.reject, call.leg, status, headers=warning)
        self._leave(call, f"refused here with {status}{words and f', {words}'}")
        self._context.bus.publish(call.moved(CallStatus.TERMINATED, reason))

    def deny(self, call: Call) -> None:
        """The same for one that was refused before it came to be."""
        self._leave(call, "refused by the access list")
        self._context.bus.publish(call.moved(CallStatus.TERMINATED, CallReason.DENIED))

    def give_up(self, call: Call) -> None:
        """There can be no sound: hang up, and say that it failed."""
        call.why = CallReason.FAILED
        self.end(call)

    def lose_keys(self, call: Call) -> None:
        """There will be no keys for its media, which have to be encrypted."""
        now = self._context.clock.now()
        with self._context.trace.input("timer", f"no keys for call {call.id}", now):
            self.give_up(call)

    def end(self, call: Call, status: int = 480) -> None:
        """Hang up, whatever the state; status is for one that rings here still."""
        if call.leg is None:
            self.finish(call, CallReason.TERMINATED)
            return
        self._driver.feed(self._endpoint.hang_up, call.leg, status=status)

    def end_all(self, status: int = 480) -> None:
        for call in list(self.calls.values()):
            self.end(call, status)

    def ended(self, news: CallEnded) -> None:
        """The endpoint's last word on a call."""
        call = self.legs.pop(news.call, None)
        if call is None or call.id not in self.calls:
            return
        said = news.status and news.how is not Ended.UNREACHABLE
        status = f"{news.status} " if said else ""
        logger.info("call %s has ended: %s, %s%s", call.id, news.how.value, status, news.words)
        self.finish(call, _reason(news, call), f"{status}{news.words}")

    def finish(self, call: Call, reason: CallReason, words: str = "") -> None:
        """The call is over: silence first, then the news."""
        self._leave(call, words)
        self.move(call, CallStatus.TERMINATED, reason)

    def _leave(self, call: Call, words: str) -> None:
        self.turns.leave(call)
        for told in self.on_end:
            told(call)
        if call.media is not None:
            self._verdicts.conclude(call)
        if self.record is not None:
            self.record(call.snapshot(), words)
        if call.media is not None:
            call.media.close()
        self.calls.pop(call.id)


def _reason(news: CallEnded, call: Call) -> CallReason:
    if call.why is not None:
        return call.why
    match news.how:
        case Ended.NO_ANSWER:
            return CallReason.NO_ANSWER
        case Ended.REJECTED if call.direction is Direction.INCOMING:
            return CallReason.DENIED
        case Ended.REJECTED if news.status in (486, 600):
            return CallReason.BUSY
        case Ended.REJECTED if news.status in (403, 603):
            return CallReason.DENIED
        case Ended.REJECTED | Ended.UNREACHABLE if call.direction is Direction.OUTGOING:
            return CallReason.FAILED
        case Ended.NO_ACK | Ended.UNREACHABLE:
            return CallReason.FAILED
        case _:
            return CallReason.TERMINATED
