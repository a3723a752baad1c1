"""/vapix/call: SIP settings, accounts, calls and DTMF as video management systems know them.

A command is the only member of a JSON object, or the `action` of the key-value form
(`format=simple`). Its result is a bare object or lines of text; what goes wrong is HTTP 400 with a
fault of the API. The settings stay the only truth: what is set here is seen everywhere.
"""

import logging
from collections.abc import Callable
from typing import Any, Final, cast

import msgspec

from sipstrobe.config.settings import Settings
from sipstrobe.config.users import ROLES, Role
from sipstrobe.context import Context
from sipstrobe.web import exchange
from sipstrobe.web.compat.call_accounts import Accounts
from sipstrobe.web.compat.call_book import CallBook
from sipstrobe.web.compat.call_calls import Calls
from sipstrobe.web.compat.call_codecs import Codecs
from sipstrobe.web.compat.call_commands import Command
from sipstrobe.web.compat.call_configuration import Configuration
from sipstrobe.web.compat.call_digit_sets import DigitSets
from sipstrobe.web.compat.call_digits import Digits
from sipstrobe.web.compat.call_draft import Desk
from sipstrobe.web.compat.call_form import (
    Arguments,
    Fault,
    Values,
    failed,
    flatten,
    invalid,
    missing,
    unflatten,
    unsupported,
)
from sipstrobe.web.compat.text_cgi import text
from sipstrobe.web.exchange import HttpProblem, Request, Response, Route
from sipstrobe.web.origin import refuse_led
from sipstrobe.web.views import Views

logger = logging.getLogger(__name__)

PATH: Final = "/vapix/call"
VERSION: Final = "2.2"
PREFIX: Final = "axcall:"
BODY_MAX_BYTES: Final = 256 * 1024
_CAPABILITIES: Final = ("SIP", "DTMF", "AudioCodec", "MediaEncryption", "Certificate", "Attribute")
_WITHOUT: Final = ("GetVMSCallConfiguration", "SetVMSCallConfiguration")
"""Known, and about something that this device has not."""


class CallDoor:
    """The routes of the API. denied: the refusal of a request that needs this role."""

    def __init__(
        self,
        context: Context,
        settings: Callable[[], Settings],
        views: Views,
        denied: Callable[[Request, Role], HttpProblem],
    ) -> None:
        """settings: as they will be once all that was asked for is stored."""
        self._denied = denied
        self._book = CallBook(context)
        desk = Desk(context.dispatcher, settings)
        calls = Calls(context.dispatcher, context.clock, desk, self._book, views.calls)
        self._commands: dict[str, Command] = {
            "GetServiceCapabilities": Command(
                lambda _: {"Capabilities": dict.fromkeys(_CAPABILITIES, True)}
            ),
            **calls.commands(),
            **Configuration(desk).commands(),
            **Accounts(desk, views.registrations).commands(),
            **Codecs(desk).commands(),
            **Digits(desk).commands(),
            **DigitSets(desk).commands(),
        }

    def close(self) -> None:
        self._book.close()

    def routes(self) -> list[Route]:
        def route(method: str) -> Route:
            return Route(
                method=method,
                path=PATH,
                handler=self._respond,
                role=Role.OPERATOR,  # at the least; each command says what it takes
                body_max_bytes=BODY_MAX_BYTES if method == "POST" else 0,
                acts=method == "GET",
                unstored=lambda request: _answer(request, failed("it could not be stored")),
            )

        return [route("POST"), route("GET")]

    def _respond(self, request: Request) -> Response:
        """Always an answer of the API, but for those who may not have it done."""
        try:
            name, arguments = _read(request)
            return _answer(request, self._run(request, name, Arguments(arguments)))
        except Fault as fault:
            return _answer(request, fault)
        except HttpProblem:
            raise
        except Exception:
            logger.exception("%s %s failed", request.method, PATH)
            return _answer(request, failed("this went wrong here; the log says how"))

    def _run(self, request: Request, name: str, arguments: Arguments) -> Values:
        command = self._commands.get(name)
        if name in _WITHOUT:
            raise unsupported(f"{name}: calls are SIP calls here")
        if command is None:
            raise unsupported(f"there is no command {name[:64]!r}")
        who = request.principal
        if who is None or ROLES.index(who.role) < ROLES.index(command.role):
            raise self._denied(request, command.role)
        if request.method == "GET" and not name.startswith("Get"):
            refuse_led(request)
        return command.run(arguments)


def _read(request: Request) -> tuple[str, Values]:
    """The command, without its prefix, and its arguments. Raises Fault."""
    if _is_simple(request):
        fields = unflatten(_form(request))
        action = fields.get("action")
        if not isinstance(action, str) or not action:
            raise missing("action")
        return action.removeprefix(PREFIX), fields
    if request.method != "POST":
        raise missing("format=simple")
    try:
        envelope: Any = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise invalid("the request is no JSON") from None
    if not isinstance(envelope, dict) or len(cast("Values", envelope)) != 1:
        raise invalid('the request must be like {"axcall:GetSIPAccounts":{}}')
    ((name, arguments),) = cast("Values", envelope).items()
    if not isinstance(arguments, dict | None):
        raise invalid("the arguments must be an object")
    return name.removeprefix(PREFIX), cast("Values", arguments or {})


def _is_simple(request: Request) -> bool:
    return "format=simple" in _form(request).split("&")


def _form(request: Request) -> str:
    """What is said in the address, and in a form."""
    query = request.target.partition("?")[2]
    body = request.body.strip()
    if body.startswith(b"{"):
        return query
    return "&".join(part for part in (query, body.decode("utf-8", "replace")) if part)


def _answer(request: Request, result: Values | Fault) -> Response:
    status, values = (400, result.told) if isinstance(result, Fault) else (200, result)
    if _is_simple(request):
        return text(status, flatten(values))
    return exchange.json(values, status)
