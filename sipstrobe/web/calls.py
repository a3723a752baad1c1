"""Calls, those that were, and accounts, as resources: API-03, SAC-15, GAP-24."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypedDict

import msgspec
from msgspec import Meta

from sipstrobe.bus import Dispatcher
from sipstrobe.clock import Clock
from sipstrobe.commands import AnswerCall, Command, Dial, HangUp, SendDigits
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Direction
from sipstrobe.rtp.verdict import Verdict
from sipstrobe.web.commands import read_body
from sipstrobe.web.exchange import (
    About,
    HttpProblem,
    Query,
    Request,
    Response,
    Route,
    act,
    json,
    look,
)
from sipstrobe.web.status import call_json
from sipstrobe.web.told.calls import CallTold, RegistrationTold
from sipstrobe.web.views import CallView, Views

PATH: Final = "/api/v1/calls"
PAGE_MAX: Final = 1000  # calls of the history in one answer
LARGEST_ID: Final = (1 << 63) - 1
LIMIT: Final = Query[int]("limit", Annotated[int, Meta(ge=1, le=PAGE_MAX)], 50, "How many.")
BEFORE: Final = Query[int | None](
    "before", Annotated[int, Meta(ge=1, le=LARGEST_ID)], None, "Only those before this id."
)
_INSTANTS: Final = ("started", "answered", "ended")
_BLAME: Final[Mapping[str, tuple[int, str]]] = {  # code of a refusal -> status, field at fault
    "bad_uri": (400, "to"),
    "unknown_account": (400, "account"),
    "digits": (400, "digits"),
    "unknown_call": (404, ""),
}


_UNKNOWN: Final = {404: ("unknown_call",)}
_REFUSED: Final = {404: ("unknown_call",), 503: ("not_available",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCall:
    """Whom to call, with or without "sip:"; account: null for the default one."""

    to: str
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Digits:
    """What to press: 0–9, A–D, * and #, a comma for a pause of 2 s."""

    digits: str


class Dialled(TypedDict):
    """The call that was begun."""

    id: str


class CallsTold(TypedDict):
    """The running calls, the oldest first."""

    calls: list[CallTold]


class PastCallTold(TypedDict):
    """A call that was. What concerns its sound is null where there was none."""

    id: int
    call: Annotated[str, Meta(description="Its name while it ran.")]
    direction: Direction
    account: str
    local_uri: str
    remote_uri: str
    extension: str
    started: datetime
    answered: datetime | None
    ended: datetime | None
    reason: Annotated[str, Meta(description="Empty while it runs.")]
    words: str
    transport: str
    codec: str
    encryption: str
    packets: int | None
    lost: int | None
    jitter_ms: float | None
    mos: float | None
    verdict: Verdict | None
    cause: str


class PastCallsTold(TypedDict):
    """The newest first. next: the `before` of the following page, null after the last."""

    calls: list[PastCallTold]
    next: int | None


class AccountsTold(TypedDict):
    """All accounts, in the order of the settings."""

    accounts: list[RegistrationTold]


class Calls:
    """The routes of calls, of their history and of accounts."""

    def __init__(self, dispatcher: Dispatcher, clock: Clock, views: Views) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._views = views

    def routes(self) -> list[Route]:
        return [
            look(PATH, self._list, About(summary="The running calls", answer=CallsTold)),
            look(
                PATH + "/{id}",
                self._one,
                About(summary="One of the running calls", answer=CallTold, problems=_UNKNOWN),
            ),
            look(
                "/api/v1/history/calls",
                self._history,
                About(
                    summary="Calls that were, the newest first",
                    query=(LIMIT, BEFORE),
                    answer=PastCallsTold,
                    problems={503: ()},
                ),
            ),
            look(
                "/api/v1/accounts",
                self._accounts,
                About(summary="How each account stands with its registrar", answer=AccountsTold),
            ),
            act(
                "POST",
                PATH,
                self._dial,
                About(
                    summary="Call an address",
                    words="Its state tells what becomes of it; Location says where that is.",
                    body=NewCall,
                    answer=Dialled,
                    status=(201,),
                    problems={
                        400: ("bad_uri", "unknown_account"),
                        409: ("sip_off", "busy"),
                        503: ("not_available",),
                    },
                ),
            ),
            act(
                "DELETE",
                PATH + "/{id}",
                self._hang_up,
                About(summary="Hang up, whatever its state", status=(204,), problems=_REFUSED),
            ),
            act(
                "POST",
                PATH + "/{id}/answer",
                self._answer,
                About(
                    summary="Answer a ringing call",
                    status=(204,),
                    problems={**_REFUSED, 409: ("not_ringing",)},
                ),
            ),
            act(
                "POST",
                PATH + "/{id}/digits",
                self._send_digits,
                About(
                    summary="Send DTMF in a call",
                    body=Digits,
                    status=(204,),
                    problems={**_REFUSED, 400: ("digits",), 409: ("not_active", "no_way")},
                ),
            ),
        ]

    # --- looking --------------------------------------------------------------------------------

    def _list(self, _: Request) -> Response:
        now = self._clock.now()
        return json({"calls": [call_json(call, now) for call in self._views.calls()]})

    def _one(self, request: Request) -> Response:
        return json(call_json(self._find(request), self._clock.now()))

    async def _history(self, request: Request) -> Response:
        """The newest first; `next` is the `before` of the following page, null after the last."""
        limit, before = LIMIT.of(request), BEFORE.of(request)
        try:
            records = await self._views.history(limit, before)
        except OSError as error:
            raise HttpProblem(503, str(error)) from None
        calls = [_record(msgspec.to_builtins(record)) for record in records]
        more = len(calls) == limit
        return json({"calls": calls, "next": calls[-1]["id"] if more else None})

    def _accounts(self, _: Request) -> Response:
        return json({"accounts": self._views.registrations()})

    # --- acting ---------------------------------------------------------------------------------

    def _dial(self, request: Request) -> Response:
        wanted = read_body(NewCall, request.body)
        call = self._order(Dial(uri=wanted.to, account=wanted.account))
        return json({"id": call}, 201).with_headers(("Location", f"{PATH}/{call}"))

    def _hang_up(self, request: Request) -> Response:
        self._order(HangUp(call=_id_in(request)))
        return Response(204)

    def _answer(self, request: Request) -> Response:
        self._order(AnswerCall(call=_id_in(request)))
        return Response(204)

    def _send_digits(self, request: Request) -> Response:
        wanted = read_body(Digits, request.body)
        self._order(SendDigits(call=_id_in(request), digits=wanted.digits))
        return Response(204)

    def _order(self, command: Command) -> object:
        """Have it carried out. Raises HttpProblem that names the field at fault, if one is."""
        try:
            return self._dispatcher.execute(command)
        except CommandRefused as refused:
            if refused.code not in _BLAME:
                raise
            status, field = _BLAME[refused.code]
            at_fault = {"field": field} if field else {}
            raise HttpProblem(status, str(refused), code=refused.code, **at_fault) from None

    def _find(self, request: Request) -> CallView:
        wanted = _id_in(request)
        for call in self._views.calls():
            if call.id == wanted:
                return call
        raise HttpProblem(404, f"there is no call {wanted[:64]!r}", code="unknown_call")


def _id_in(request: Request) -> str:
    return request.path.removeprefix(PATH + "/").partition("/")[0]


def _record(record: dict[str, Any]) -> dict[str, Any]:
    """Instants as RFC 3339 has them."""
    for name in _INSTANTS:
        if record[name] is not None:
            record[name] = datetime.fromtimestamp(record[name], UTC)
    return record
