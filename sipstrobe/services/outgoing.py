"""Calls that we make: which account makes them, which ways they try, and how they are answered."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

from sipstrobe.commands import Dial
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, LocalProtocolError, RemoteProtocolError
from sipstrobe.events import CallReason, CallStatus, Direction
from sipstrobe.machine import Driver
from sipstrobe.services.accounts import Accounts
from sipstrobe.services.call_media import CallMedia, MediaFactory
from sipstrobe.services.calls import Call
from sipstrobe.services.keypad import Keypad
from sipstrobe.services.opening import Opening
from sipstrobe.services.switchboard import Switchboard
from sipstrobe.services.ways import Way
from sipstrobe.sip.account import Account
from sipstrobe.sip.dialled import dialled
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.outputs import CallAccepted, CallEnded, CallProgress, Ended, Output
from sipstrobe.sip.servers import transport_of
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.target import transport_of as transport_to
from sipstrobe.sip.uri import Uri, readable
from sipstrobe.trace import Cause

logger = logging.getLogger(__name__)

NOT_ACCEPTABLE = 488  # Not Acceptable Here; RFC 3261 §21.4.26
PATIENCE = 3.0  # seconds without any sign of the other side, after which another way is tried
Fields = tuple[tuple[str, str], ...]


@dataclass(slots=True, eq=False)
class Attempt:
    """One INVITE of a call. sign: whether the other side has answered it in any way."""

    call: Call
    leg: str
    way: Way
    sign: "asyncio.Future[bool]"
    failure: CallEnded | None = None  # it came to nothing, and another way might do better


@dataclass(slots=True, eq=False)
class Wish:
    """What is to be dialled, and what the INVITE is to say besides."""

    account: Account
    uri: Uri
    cause: Cause | None
    fields: Fields = ()
    until: float = field(default=0.0)  # the instant until which somebody has to answer


class Outgoing:
    """Dial, and see to it until the other side has answered."""

    def __init__(
        self,
        context: Context,
        driver: Driver[Output],
        endpoint: Endpoint,
        accounts: Accounts,
        media: MediaFactory,
        board: Switchboard,
        keypad: Keypad,
    ) -> None:
        self.settings = SipSettings()
        self._context = context
        self._driver = driver
        self._endpoint = endpoint
        self._accounts = accounts
        self._media = media
        self._opening = Opening(media, board, keypad)
        self._board = board
        self._dialling: set[asyncio.Task[None]] = set()
        self._attempts: dict[str, Attempt] = {}  # those without a sign yet, by leg
        self._lenient: dict[str, tuple[Wish, Way]] = {}  # whose offer need not be encrypted, by leg

    def stop(self) -> None:
        """Dial no more; what is being looked up is forgotten."""
        for task in self._dialling:
            task.cancel()

    def dial(self, order: Dial) -> str:
        """Begin a call; the result is its name. Raises CommandRefused."""
        return self.call(order.uri, self._accounts.named(order.account))

    def call(self, text: str, account: Account, fields: Fields = ()) -> str:
        """Call what somebody has dialled; fields: what the INVITE is to say besides.

        The result is the name of the call. Raises CommandRefused.
        """
        if not self.settings.enabled:
            raise CommandRefused("sip_off", "SIP is switched off")
        if not account.enabled:
            raise CommandRefused("unknown_account", f"account {account.name!r} is not active")
        try:
            uri = dialled(text, account)
            transport_to(uri, transport_of(account))
        except RemoteProtocolError as error:
            raise CommandRefused("bad_uri", f"cannot call {readable(text)!r}: {error}") from None
        if len(self._board.calls) >= self.settings.max_calls:
            raise CommandRefused("busy", "there are as many calls as the settings allow")
        remote = readable(str(uri))
        call = self._board.begin(Direction.OUTGOING, account, local_uri="", remote_uri=remote)
        self._board.move(call, CallStatus.CALLING, CallReason.INITIATED)
        until = self._context.clock.now() + self.settings.calling_timeout
        wish = Wish(account, uri, self._context.trace.current, fields, until)
        task = asyncio.get_running_loop().create_task(self._connect(call, wish))
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)
        return call.id

    # --- one way after the other ----------------------------------------------------------------

    async def _connect(self, call: Call, wish: Wish) -> None:
        attempt: Attempt | None = None
        words = "there is no way there"
        try:
            async with aclosing(self._accounts.ways(wish.account, wish.uri)) as ways:
                attempt = await self._try(call, wish, ways)
        except OSError as error:
            words = str(error)
        if attempt is not None:
            self._attempts.pop(attempt.leg, None)
        if call.id not in self._board.calls:
            return
        with self._context.trace.because(wish.cause):
            if attempt is None:
                logger.info("call %s cannot be made: %s", call.id, words)
                self._board.finish(call, CallReason.FAILED, words)
            elif attempt.failure is not None:
                self._lenient.pop(attempt.leg, None)
                self._board.ended(attempt.failure)

    async def _try(self, call: Call, wish: Wish, ways: AsyncGenerator[Way]) -> Attempt | None:
        """RFC 3263 §4.3: one way after the other until somebody is there; the last attempt.

        The next way is looked for while the last one may still lead to something.
        """
        last: Attempt | None = None
        async for way in ways:
            if call.id not in self._board.calls or (last is not None and self._found(last)):
                break
            with self._context.trace.because(wish.cause):
                if last is not None:
                    self._leave(last)
                media = self._open(call, wish, way)
            if media is None:
                return None
            if media.path is not None:
                await media.prepare(offering=True)
                if call.id not in self._board.calls:
                    return None
            with self._context.trace.because(wish.cause):
                last = self._invite(call, wish, way, media)
            if last is None or await self._somebody_is_there(last):
                break
            if last.failure is None or last.failure.how is Ended.UNREACHABLE:
                self._accounts.unreachable(wish.account, way.flow)
        return last

    async def _somebody_is_there(self, attempt: Attempt) -> bool:
        try:
            async with asyncio.timeout(PATIENCE):
                return await attempt.sign
        except TimeoutError:
            return self._endpoint.proceeding(attempt.leg)

    def _found(self, attempt: Attempt) -> bool:
        return attempt.failure is None and (
            attempt.leg not in self._attempts or self._endpoint.proceeding(attempt.leg)
        )

    def _leave(self, attempt: Attempt) -> None:
        """Nobody will hear of this one any more."""
        self._attempts.pop(attempt.leg, None)
        self._lenient.pop(attempt.leg, None)
        self._board.legs.pop(attempt.leg, None)
        logger.info("call %s: no answer from %s", attempt.call.id, attempt.way.flow.remote)
        if attempt.failure is None:
            self._driver.feed(self._endpoint.hang_up, attempt.leg)
        if attempt.call.media is not None:
            attempt.call.media.close()
        attempt.call.media = attempt.call.leg = None

    def _open(self, call: Call, wish: Wish, way: Way) -> CallMedia | None:
        """Media for a call; None when it is over, as there can be none."""
        call.flow, call.local_uri = way.flow, way.identity.uri
        media = self._opening.open(call, way.flow, self._media.for_callee(wish.account))
        if media is None:
            self._board.finish(call, CallReason.FAILED)
            return None
        if media.path is not None:
            media.path.concluded = partial(self._concluded, call)
        media.begin(proven=True)
        return media

    def _concluded(self, call: Call) -> None:
        """ICE has come to its end; it may be that the call was answered before."""
        with self._context.trace.input("network", "ICE", self._context.clock.now()):
            if call.state is CallStatus.ACTIVE and call.media is not None:
                self._renew(call, call.media)

    def _renew(self, call: Call, media: CallMedia) -> None:
        """Tell the other side the addresses that media has come to use."""
        if media.outdated:
            self._driver.feed(self._endpoint.reinvite, call.leg, media.offer())

    def _invite(self, call: Call, wish: Wish, way: Way, media: CallMedia) -> Attempt | None:
        """None: the call is over."""
        try:
            leg = self._driver.feed(
                self._endpoint.invite,
                way.flow,
                str(wish.uri),
                media.offer(),
                identity=way.identity,
                fields=wish.fields,
                timeout=max(wish.until - self._context.clock.now(), 0.0),
            )
        except (LocalProtocolError, RemoteProtocolError) as error:
            logger.warning("call %s cannot be made: %s", call.id, error)
            self._board.finish(call, CallReason.FAILED)
            return None
        self._board.enter_leg(call, leg)
        attempt = Attempt(call, leg, way, asyncio.get_running_loop().create_future())
        self._attempts[leg] = attempt
        if media.lenient:
            self._lenient[leg] = (wish, way)
        return attempt

    def _insist(self, news: CallEnded) -> bool:
        """Who takes nothing but encrypted media refuses an offer that leaves it open (RFC 8643 §3),
        since that looks like one without: once more, with one that does not."""
        wish, way = self._lenient.pop(news.call, (None, None))
        call = self._board.legs.get(news.call)
        if wish is None or way is None or call is None or call.media is None:
            return False
        if news.status != NOT_ACCEPTABLE or call.id not in self._board.calls:
            return False
        self._board.legs.pop(news.call)
        call.media.insist()
        attempt = self._invite(call, wish, way, call.media)
        if attempt is not None:
            del self._attempts[attempt.leg]  # somebody is there: no other way is tried
        return True

    # --- news from the endpoint -----------------------------------------------------------------

    def progress(self, news: CallProgress) -> None:
        """A provisional response, perhaps with early media."""
        self._settle(news.call)
        call, media = self._board.leg(news.call)
        if news.body is not None:
            self._board.take_answer(call, media, news.body)

    def accepted(self, news: CallAccepted) -> None:
        """The other side has answered."""
        self._settle(news.call)
        self._lenient.pop(news.call, None)
        call, media = self._board.leg(news.call)
        if news.body is not None and not self._board.take_answer(call, media, news.body):
            self._board.give_up(call)
        elif not media.agreed:
            logger.info("call %s was accepted without an answer to our offer", call.id)
            self._board.give_up(call)
        else:
            self._board.activate(call, CallReason.ACCEPTED_BY_REMOTE)
            self._renew(call, media)

    def ended(self, news: CallEnded) -> None:
        """The endpoint's last word on an INVITE; another way may do better."""
        attempt = self._attempts.get(news.call)
        if attempt is not None and _elsewhere(news):
            attempt.failure = news
            self._settle(news.call, sign=False)
        else:
            self._settle(news.call)
            if not self._insist(news):
                self._board.ended(news)

    def _settle(self, leg: str, *, sign: bool = True) -> None:
        attempt = self._attempts.pop(leg, None)
        if attempt is not None and not attempt.sign.done():
            attempt.sign.set_result(sign)


def _elsewhere(news: CallEnded) -> bool:
    """RFC 3263 §4.3: no answer, or an overloaded server."""
    return news.how is Ended.UNREACHABLE or (news.how is Ended.REJECTED and news.status == 503)
