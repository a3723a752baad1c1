"""Calls somebody (RCP-09): done when he answers."""

import asyncio
import contextlib
from typing import Final

from sipstrobe.commands import Dial, HangUp
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import CallReason, CallStateChanged, CallStatus
from sipstrobe.sending.failure import SendFailed
from sipstrobe.sending.message import CallMessage
from sipstrobe.sending.settings import SipRecipient

ANSWER_LIMIT: Final = 45.0  # seconds that it may ring

_WORDS: Final = {
    CallReason.BUSY: "is busy",
    CallReason.NO_ANSWER: "does not answer",
    CallReason.DENIED: "refuses the call",
}


class SipSender:
    """Dials through the dispatcher, like everybody else; the call goes on by itself."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def send(self, recipient: SipRecipient, message: CallMessage, /) -> None:
        ended: asyncio.Future[CallStateChanged] = asyncio.get_running_loop().create_future()
        call = ""

        def note(event: CallStateChanged) -> None:
            final = event.state in (CallStatus.ACTIVE, CallStatus.TERMINATED)
            if event.call == call and final and not ended.done():
                ended.set_result(event)

        unsubscribe = self._context.bus.subscribe(CallStateChanged, note)
        order = Dial(uri=recipient.uri, account=recipient.account)
        try:
            call = str(self._context.dispatcher.execute(order))
            async with asyncio.timeout(ANSWER_LIMIT):
                event = await ended
        except CommandRefused as refused:
            raise SendFailed(str(refused)) from None
        except TimeoutError:
            self._hang_up(call)
            raise SendFailed(f"{recipient.uri} does not answer") from None
        except asyncio.CancelledError:
            self._hang_up(call)
            raise
        finally:
            unsubscribe()
        if event.state is CallStatus.TERMINATED:
            words = _WORDS.get(event.reason, f"cannot be reached ({event.reason.value})")
            raise SendFailed(f"{recipient.uri} {words}")

    def _hang_up(self, call: str) -> None:
        with contextlib.suppress(CommandRefused):  # it has ended by itself
            self._context.dispatcher.execute(HangUp(call=call))
