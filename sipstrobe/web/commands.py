"""POST /api/v1/commands/<name>: every order that people may give (`sipstrobe.orders`), as JSON."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, TypedDict, TypeVar

from sipstrobe import orders
from sipstrobe.bus import Dispatcher
from sipstrobe.commands import (
    CallAndTell,
    Command,
    Dial,
    OperationId,
    PageOut,
    PlayClip,
    PublishMqtt,
    SendMessage,
    SetVirtualInput,
    StartOperation,
    StartProfile,
    StartRecording,
    TestRecipient,
)
from sipstrobe.orders import COMMANDS, BadOrder
from sipstrobe.web.exchange import About, HttpProblem, Request, Response, Route, act, json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PATH = "/api/v1/commands/"

T = TypeVar("T", bound="DataclassInstance")
R = TypeVar("R")


class Result(TypedDict, Generic[R]):
    """What came of an order; null where there is nothing to say."""

    result: R


RESULTS: Final[Mapping[type[Command], Any]] = {  # of those that give one
    StartProfile: tuple[OperationId, ...],
    StartOperation: OperationId,
    SetVirtualInput: bool,
    Dial: str,
    CallAndTell: str,
    PlayClip: int,
    PageOut: int,
    StartRecording: str,
    SendMessage: str,
    PublishMqtt: str,
    TestRecipient: str,
}
_REFUSED: Final = re.compile(r"Refused: ([a-z_,\s]+)")


class Commands:
    """Read a command from a request and have it carried out; its result is the answer."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def routes(self) -> list[Route]:
        about = tuple(_about(name, kind) for name, kind in COMMANDS.items())
        return [act("POST", PATH + "*", self._execute, about)]

    def _execute(self, request: Request) -> Response:
        name = request.path.removeprefix(PATH)
        kind = COMMANDS.get(name)
        if kind is None:
            raise HttpProblem(404, f"no such command; there are {', '.join(COMMANDS)}")
        return json({"result": self._dispatcher.execute(read_body(kind, request.body))})


def _about(name: str, kind: type[Command]) -> About:
    """What the docstring of an order says, by the custom of `sipstrobe.commands`."""
    words = " ".join((kind.__doc__ or "").split())
    summary, _, rest = words.partition(" -> ")
    refused = _REFUSED.search(rest)
    codes = re.findall(r"[a-z_]+", refused[1]) if refused else []
    first, _, more = summary.partition(". ")
    return About(
        summary=first.rstrip("."),
        words=more,
        body=kind,
        answer=Result[RESULTS.get(kind)],
        problems={409: tuple(codes), 503: ("not_available",)},
        template=PATH + name,
    )


def read_body(kind: type[T], body: bytes) -> T:
    """What a JSON object describes. Raises HttpProblem 400 that names the field."""
    try:
        return orders.read_body(kind, body)
    except BadOrder as wrong:
        raise _problem(wrong) from None


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object; nothing at all counts as an empty one. Raises HttpProblem 400."""
    try:
        return orders.read_object(body)
    except BadOrder as wrong:
        raise _problem(wrong) from None


def _problem(wrong: BadOrder) -> HttpProblem:
    more = {"field": wrong.field} if wrong.field else {}
    return HttpProblem(400, str(wrong), **more)
