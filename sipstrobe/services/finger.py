"""Presses keys in calls, in the way that each call allows (SendDigits)."""

import logging
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.dtmf.info import RELAY, body_of
from sipstrobe.dtmf.keys import COMMA_PAUSE, PAUSE, TONE, Key, keys_of
from sipstrobe.errors import CommandRefused, LocalProtocolError
from sipstrobe.events import CallStatus
from sipstrobe.machine import Driver
from sipstrobe.services.call_media import CallMedia
from sipstrobe.services.calls import Call
from sipstrobe.services.switchboard import Switchboard
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.outputs import Output

logger = logging.getLogger(__name__)

REFUSED: Final = 300  # from here on, a status says that it was not taken


@dataclass(slots=True)
class _Infos:
    """Digits that go out in INFO. asking: one waits for its answer; next: when another may go."""

    waiting: deque[Key] = field(default_factory=deque["Key"])
    asking: bool = False
    next: float = 0.0
    timer: Handle | None = None


class Finger:
    """One for all calls.

    Of INFOs only one is on its way in a call: RFC 3261 §12.2.2 has those that overtake others
    refused, and the digit would be lost.
    """

    def __init__(
        self, context: Context, driver: Driver[Output], endpoint: Endpoint, board: Switchboard
    ) -> None:
        self._context = context
        self._driver = driver
        self._endpoint = endpoint
        self._early: dict[str, str] = {}  # by call that is not acknowledged yet: what waits for it
        self._infos: dict[str, _Infos] = {}  # by call
        board.on_end.append(self._forget)

    def press(self, call: Call, digits: str) -> None:
        """Begin to press these, once the other side has acknowledged our answer (RFC 3261 §13.3.1):
        it is ready to hear them then. Raises CommandRefused."""
        if call.state is not CallStatus.ACTIVE or call.media is None:
            raise CommandRefused("not_active", f"call {call.id} is {call.state}")
        try:
            if call.media.proven:
                self._press(call, call.media, digits)
            else:
                early = self._early.get(call.id, "")
                keys_of(digits, waiting=len(early))
                self._early[call.id] = early + digits
        except ValueError as error:
            raise CommandRefused("digits", str(error)) from None

    def acknowledged(self, call: Call) -> None:
        """The other side has acknowledged our answer."""
        early = self._early.pop(call.id, "")
        if early:
            try:
                self.press(call, early)
            except CommandRefused as refusal:
                logger.warning("call %s: digits are not pressed: %s", call.id, refusal)

    def answered(self, call: Call, status: int) -> None:
        """The other side has answered an INFO."""
        infos = self._infos.get(call.id)
        if infos is None or not infos.asking:
            return
        infos.asking = False
        if status >= REFUSED:
            logger.warning("call %s: %d is the answer to a digit in INFO", call.id, status)
            infos.waiting.clear()
        self._go_on(call, infos)

    def _press(self, call: Call, media: CallMedia, digits: str) -> None:
        """Raises ValueError where these are no digits, or too many."""
        agreed = media.parameters
        speaks = agreed is not None and agreed.direction.sends
        events = agreed is not None and agreed.event_type is not None
        if speaks and events:
            media.stream.send_digits(digits)
        elif call.digits.info:
            self._press_in_info(call, digits)
        elif call.digits.inband and speaks:
            media.stream.send_tones(digits)
        else:
            raise CommandRefused("no_way", f"nothing takes digits to the other side of {call.id}")

    def _press_in_info(self, call: Call, digits: str) -> None:
        infos = self._infos.setdefault(call.id, _Infos())
        infos.waiting.extend(keys_of(digits, waiting=len(infos.waiting)))
        if infos.timer is None and not infos.asking:
            self._go_on(call, infos)

    def _go_on(self, call: Call, infos: _Infos) -> None:
        now = self._context.clock.now()
        while infos.waiting and infos.next <= now and not infos.asking:
            key = infos.waiting.popleft()
            infos.next = now + (COMMA_PAUSE if key is None else TONE + PAUSE)
            if key is None:
                continue
            try:
                self._driver.feed(self._endpoint.info, call.leg, RELAY, body_of(key, TONE))
            except LocalProtocolError:  # the call is about to end
                infos.waiting.clear()
            else:
                infos.asking = True
        if infos.waiting and not infos.asking:
            infos.timer = self._context.clock.call_at(infos.next, partial(self._due, call, infos))

    def _due(self, call: Call, infos: _Infos) -> None:
        infos.timer = None
        with self._context.trace.input("timer", "digits in INFO", self._context.clock.now()):
            self._go_on(call, infos)

    def _forget(self, call: Call) -> None:
        self._early.pop(call.id, None)
        infos = self._infos.pop(call.id, None)
        if infos is not None and infos.timer is not None:
            infos.timer.cancel()
