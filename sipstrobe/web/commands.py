"""POST /api/v1/commands/<name>: every order that people may give (`sipstrobe.orders`), as JSON."""

from typing import TYPE_CHECKING, Any, TypeVar

from sipstrobe import orders
from sipstrobe.bus import Dispatcher
from sipstrobe.config.users import Role
from sipstrobe.orders import COMMANDS, BadOrder
from sipstrobe.web.exchange import HttpProblem, Request, Response, Route, json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PATH = "/api/v1/commands/"

T = TypeVar("T", bound="DataclassInstance")


class Commands:
    """Read a command from a request and have it carried out; its result is the answer."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def routes(self) -> list[Route]:
        return [Route(method="POST", path=PATH + "*", handler=self._execute, role=Role.OPERATOR)]

    def _execute(self, request: Request) -> Response:
        name = request.path.removeprefix(PATH)
        kind = COMMANDS.get(name)
        if kind is None:
            raise HttpProblem(404, f"no such command; there are {', '.join(COMMANDS)}")
        return json({"result": self._dispatcher.execute(read_body(kind, request.body))})


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
