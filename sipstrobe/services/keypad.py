"""The digits that the other side of a call presses: told to everybody, unless they are a PIN.

Publishes: DigitReceived, PinRefused. A digit of a PIN reaches no event, log or trace.
"""

import logging
from typing import Final

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.dtmf.info import digit_of
from sipstrobe.dtmf.pin import ENTER, PinEntry, Verdict
from sipstrobe.dtmf.receiver import DigitReceiver
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.events import CallReason, CallStatus, DigitReceived, PinRefused
from sipstrobe.secret import Secret
from sipstrobe.services.calls import Call
from sipstrobe.services.switchboard import Switchboard

logger = logging.getLogger(__name__)

PIN_LIMIT: Final = 30.0  # seconds from the answer until the PIN must have been entered
ENDING: Final = 3.0  # seconds within which a # only ends the PIN that was right without it


class Keypad:
    """One for all calls.

    Some phones send each digit twice, in RTP and in INFO: the way by which the first one comes
    holds for the call.
    """

    def __init__(self, context: Context, board: Switchboard) -> None:
        self._context = context
        self._board = board
        self._receivers: dict[str, DigitReceiver] = {}  # by call; of those that press in RTP
        self._in_info: set[str] = set()  # calls that press in INFO
        self._entries: dict[str, tuple[PinEntry, Handle]] = {}  # by call; PINs to be entered
        self._ending: dict[str, float] = {}  # by call; the instant until which a # ends its PIN
        board.on_end.append(self._forget)

    def ask(self, call: Call, pin: Secret) -> None:
        """Nothing happens until the caller has entered this PIN."""
        until = self._context.clock.now() + PIN_LIMIT
        timer = self._context.clock.call_at(until, lambda: self._too_late(call))
        self._entries[call.id] = (PinEntry(pin), timer)

    def in_rtp(self, call: Call, payload: bytes, timestamp: int, marker: bool) -> None:
        """A telephone event has come (RFC 4733)."""
        if call.id in self._in_info:
            return
        receiver = self._receivers.get(call.id)
        if receiver is None:
            receiver = self._receivers[call.id] = DigitReceiver()
        digit = receiver.receive(payload, timestamp, marker)
        if digit is not None:
            came = f"a telephone event in call {call.id}"
            with self._context.trace.input("datagram", came, self._context.clock.now()):
                self._press(call, digit)

    def in_info(self, call: Call, content_type: str, body: bytes) -> None:
        """An INFO has come; what it says counts if the account allows digits there."""
        if not call.digits_in_info:
            return
        try:
            digit = digit_of(content_type, body)
        except RemoteProtocolError as error:
            logger.debug("call %s: an INFO without a digit: %s", call.id, error)
            return
        if digit is not None and call.id not in self._receivers:
            self._in_info.add(call.id)
            self._press(call, digit)

    def _press(self, call: Call, digit: str) -> None:
        entry = self._entries.get(call.id)
        if entry is not None:
            self._judge(call, entry[0], entry[0].press(digit))
        elif call.state is CallStatus.ACTIVE and not self._ends_pin(call, digit):
            self._context.bus.publish(
                DigitReceived(call=call.id, extension=call.extension, line=call.line, digit=digit)
            )

    def _ends_pin(self, call: Call, digit: str) -> bool:
        """Whether this is nothing but the end of the PIN that was just entered."""
        until = self._ending.pop(call.id, None)
        return until is not None and digit == ENTER and self._context.clock.now() < until

    # --- PIN ------------------------------------------------------------------------------------

    def _judge(self, call: Call, entry: PinEntry, verdict: Verdict | None) -> None:
        match verdict:
            case None:
                return
            case Verdict.RIGHT:
                self._ask_no_more(call)
                self._ending[call.id] = self._context.clock.now() + ENDING
                self._board.activate(call, CallReason.ACCEPTED_BY_DEVICE)
            case Verdict.WRONG:
                self._refuse(call, entry.attempts_left)
            case Verdict.LOCKED:
                self._turn_away(call)

    def _too_late(self, call: Call) -> None:
        with self._context.trace.input("timer", "PIN", self._context.clock.now()):
            self._turn_away(call)

    def _turn_away(self, call: Call) -> None:
        self._ask_no_more(call)
        self._refuse(call, 0)
        call.why = CallReason.DENIED
        self._board.end(call)

    def _refuse(self, call: Call, attempts_left: int) -> None:
        logger.warning("call %s from %s: wrong PIN, or none", call.id, call.remote_uri)
        self._context.bus.publish(
            PinRefused(
                call=call.id,
                extension=call.extension,
                line=call.line,
                remote_uri=call.remote_uri,
                attempts_left=attempts_left,
            )
        )

    def _forget(self, call: Call) -> None:
        """The call is over."""
        self._receivers.pop(call.id, None)
        self._in_info.discard(call.id)
        self._ending.pop(call.id, None)
        self._ask_no_more(call)

    def _ask_no_more(self, call: Call) -> None:
        entry = self._entries.pop(call.id, None)
        if entry is not None:
            entry[1].cancel()
