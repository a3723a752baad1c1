"""Somebody is called through the dispatcher, as by everybody else (RCP-09)."""

import asyncio

import pytest

from sipstrobe.commands import Dial, HangUp
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import CallReason, CallStateChanged, CallStatus, Direction
from sipstrobe.sending.failure import SendFailed
from sipstrobe.sending.message import CallMessage
from sipstrobe.sending.settings import SipRecipient
from sipstrobe.services.senders.sip import ANSWER_LIMIT, SipSender
from tests.support.leap import LeapClock
from tests.support.waiting import until

GUARD = SipRecipient(name="guard", uri="sip:guard@pbx.test", account="Desk")
CALL = CallMessage(id="1-a", at=0.0)


class Street:
    """A phone that takes orders, and says what a story wants."""

    def __init__(self) -> None:
        self.clock = LeapClock()
        self.context = Context(self.clock)
        self.orders: list[Dial | HangUp] = []
        self.context.dispatcher.serve(Dial, self._dial)
        self.context.dispatcher.serve(HangUp, self.orders.append)

    def _dial(self, order: Dial) -> str:
        if order.account is None:
            raise CommandRefused("sip_off", "SIP is switched off")
        self.orders.append(order)
        return "out-1"

    def becomes(self, state: CallStatus, reason: CallReason, call: str = "out-1") -> None:
        self.context.bus.publish(
            CallStateChanged(
                call=call,
                direction=Direction.OUTGOING,
                account="Desk",
                local_uri="",
                remote_uri=GUARD.uri,
                extension="",
                before=CallStatus.CALLING,
                state=state,
                reason=reason,
            )
        )

    async def calling(self) -> "asyncio.Future[None]":
        sending = asyncio.ensure_future(SipSender(self.context).send(GUARD, CALL))
        await until(lambda: self.orders)
        return sending


async def test_a_call_that_is_answered_has_arrived() -> None:
    """And goes on by itself."""
    street = Street()
    sending = await street.calling()
    street.becomes(CallStatus.ACTIVE, CallReason.ACCEPTED_BY_REMOTE, call="another")
    street.becomes(CallStatus.RINGING, CallReason.INITIATED)
    assert not sending.done()

    street.becomes(CallStatus.ACTIVE, CallReason.ACCEPTED_BY_REMOTE)
    await sending

    assert street.orders == [Dial(uri=GUARD.uri, account="Desk")]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (CallReason.BUSY, "sip:guard@pbx.test is busy"),
        (CallReason.NO_ANSWER, "sip:guard@pbx.test does not answer"),
        (CallReason.DENIED, "sip:guard@pbx.test refuses the call"),
        (CallReason.FAILED, r"sip:guard@pbx.test cannot be reached \(failed\)"),
    ],
)
async def test_a_call_that_is_not_answered_says_why(reason: CallReason, words: str) -> None:
    street = Street()
    sending = await street.calling()

    street.becomes(CallStatus.TERMINATED, reason)

    with pytest.raises(SendFailed, match=words):
        await sending


async def test_it_does_not_ring_for_ever() -> None:
    street = Street()
    sending = await street.calling()

    street.clock.leap(ANSWER_LIMIT + 1)

    with pytest.raises(SendFailed, match="does not answer"):
        await sending
    assert street.orders[-1] == HangUp(call="out-1")


async def test_a_phone_that_is_off_says_so() -> None:
    street = Street()
    nobody = SipRecipient(name="guard", uri=GUARD.uri)

    with pytest.raises(SendFailed, match="SIP is switched off"):
        await SipSender(street.context).send(nobody, CALL)
