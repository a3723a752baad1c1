"""Calls, those that were, and accounts, as resources: API-03, SAC-15, GAP-24."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from sipstrobe.bus import Dispatcher
from sipstrobe.clock import Clock
from sipstrobe.commands import AnswerCall, Command, Dial, HangUp, SendDigits
from sipstrobe.errors import CommandRefused
from sipstrobe.web.commands import read_body
from sipstrobe.web.exchange import HttpProblem, Request, Response, Route, act, json, look
from sipstrobe.web.status import call_json
from sipstrobe.web.views import CallView, Views

PATH: Final = "/api/v1/calls"
PAGE_DEFAULT, PAGE_MAX = 50, 1000  # calls of the history in one answer
LARGEST_ID: Final = (1 << 63) - 1
_INSTANTS: Final = ("started", "answered", "ended")
_BLAME: Final[Mapping[str, tuple[int, str]]] = {  # code of a refusal -> status, field at fault
    "bad_uri": (400, "to"),
    "unknown_account": (400, "account"),
    "digits": (400, "digits"),
    "unknown_call": (404, ""),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _NewCall:
    to: str
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Digits:
    digits: str


class Calls:
    """The routes of calls, of their history and of accounts."""

    def __init__(self, dispatcher: Dispatcher, clock: Clock, views: Views) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._views = views

    def routes(self) -> list[Route]:
        return [
            look(PATH, self._list),
            look(PATH + "/*", self._one),
            look("/api/v1/history/calls", self._history),
            look("/api/v1/accounts", self._accounts),
            act("POST", PATH, self._dial),
            act("DELETE", PATH + "/*", self._hang_up),
            act("POST", PATH + "/*/answer", self._answer),
            act("POST", PATH + "/*/digits", self._send_digits),
        ]

    # --- looking --------------------------------------------------------------------------------

    def _list(self, _: Request) -> Response:
        now = self._clock.now()
        return json({"calls": [call_json(call, now) for call in self._views.calls()]})

    def _one(self, request: Request) -> Response:
        return json(call_json(self._find(request), self._clock.now()))

    async def _history(self, request: Request) -> Response:
        """The newest first; `next` is the `before` of the following page, null after the last."""
        limit = _number(request, "limit", PAGE_DEFAULT, PAGE_MAX)
        before = _number(request, "before", None, LARGEST_ID)
        assert limit is not None
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
        wanted = read_body(_NewCall, request.body)
        call = self._order(Dial(uri=wanted.to, account=wanted.account))
        return json({"id": call}, 201).with_headers(("Location", f"{PATH}/{call}"))

    def _hang_up(self, request: Request) -> Response:
        self._order(HangUp(call=_id_in(request)))
        return Response(204)

    def _answer(self, request: Request) -> Response:
        self._order(AnswerCall(call=_id_in(request)))
        return Response(204)

    def _send_digits(self, request: Request) -> Response:
        wanted = read_body(_Digits, request.body)
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


def _number(request: Request, name: str, otherwise: int | None, largest: int) -> int | None:
    """A number in the query. Raises HttpProblem 400 that names it."""
    text = request.query(name)
    if text is None:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and 1 <= int(text) <= largest):
        raise HttpProblem(400, f"must be a number from 1 to {largest}", field=name)
    return int(text)


def _record(record: dict[str, Any]) -> dict[str, Any]:
    """Instants as RFC 3339 has them."""
    for name in _INSTANTS:
        if record[name] is not None:
            record[name] = datetime.fromtimestamp(record[name], UTC)
    return record
