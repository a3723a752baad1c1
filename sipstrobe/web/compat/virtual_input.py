"""/axis-cgi/virtualinput/: how cameras switch virtual inputs (API-02, GAP-32).

By GET or POST with everything in the query, or in a form. Answers are XML and HTTP 200, errors too;
only who may not come in sees another status.
"""

import logging
import re
from collections.abc import Callable
from typing import Final, NoReturn

from sipstrobe.bus import Dispatcher
from sipstrobe.commands import SetVirtualInput
from sipstrobe.config.users import Role
from sipstrobe.errors import CommandRefused
from sipstrobe.sending.templates import in_xml
from sipstrobe.web.compat.text_cgi import with_form
from sipstrobe.web.exchange import HttpProblem, Request, Response, Route

logger = logging.getLogger(__name__)

PATH: Final = "/axis-cgi/virtualinput/"
XML: Final = "text/xml; charset=utf-8"
MAJOR, MINOR = 1, 1  # of the schema
_NAMESPACE: Final = "http://www.axis.com/vapix/http_cgi/virtualinput1"

MISSING, NO_INPUT, VERSION, INTERNAL, DURATION = 10, 20, 30, 40, 50
_CODES: Final = {"unknown_input": NO_INPUT, "duration": DURATION}


class _Wrong(Exception):
    """What is wrong, by the number that this API has for it."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


class VirtualInput:
    """The three routes, each by two methods."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def routes(self) -> list[Route]:
        doors = {
            "activate": self._activate,
            "deactivate": self._deactivate,
            "getschemaversions": _schema_versions,
        }
        return [
            Route(
                method=method,
                path=f"{PATH}{name}.cgi",
                handler=_answering(content),
                role=Role.OPERATOR,
                acts=True,
            )
            for name, content in doors.items()
            for method in ("GET", "POST")
        ]

    def _activate(self, request: Request) -> str:
        return self._switch(request, "Activate", _duration)

    def _deactivate(self, request: Request) -> str:
        return self._switch(request, "Deactivate", lambda _: None)

    def _switch(self, request: Request, name: str, seconds: Callable[[Request], int | None]) -> str:
        _check_version(request)
        number, active = _number(request), name == "Activate"
        order = SetVirtualInput(input=number, active=active, seconds=seconds(request))
        try:
            changed = bool(self._dispatcher.execute(order))
        except CommandRefused as refused:
            raise _Wrong(_CODES.get(refused.code, INTERNAL), str(refused)) from None
        told = _element("StateChanged", "true" if changed else "false")
        return _element(f"{name}Success", told)


def _answering(content: Callable[[Request], str]) -> Callable[[Request], Response]:
    def handle(request: Request) -> Response:
        try:
            return _answer("Success", content(with_form(request)))
        except _Wrong as wrong:
            return _failure(wrong.code, str(wrong))
        except HttpProblem as problem:
            return _failure(MISSING, str(problem))
        except Exception:
            logger.exception("%.200r failed", request.path)
            return _failure(INTERNAL, "Internal error")

    return handle


def _schema_versions(_: Request) -> str:
    version = (
        _element("MajorVersion", str(MAJOR))
        + _element("MinorVersion", str(MINOR))
        + _element("Deprecated", "false")
    )
    return _element("GetSchemaVersionsSuccess", _element("SchemaVersion", version))


def _check_version(request: Request) -> None:
    """A major version, or with a minor one that there is."""
    asked = _argument(request, "schemaversion")
    match = re.fullmatch(r"([0-9]{1,4})(?:\.([0-9]{1,4}))?", asked)
    if match is None or int(match[1]) != MAJOR or int(match[2] or 0) > MINOR:
        raise _Wrong(VERSION, f"schema version {asked[:16]!a} is not supported; {MAJOR} is")


def _number(request: Request) -> int:
    port = _argument(request, "port")
    if not re.fullmatch(r"[0-9]{1,4}", port):
        raise _Wrong(NO_INPUT, f"there is no virtual input {port[:16]!a}")
    return int(port)


def _duration(request: Request) -> int | None:
    text = request.query("duration")
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        _refuse_duration()
    return int(text)


def _refuse_duration() -> NoReturn:
    raise _Wrong(DURATION, "duration must be a whole number of seconds")


def _argument(request: Request, name: str) -> str:
    text = request.query(name)
    if text is None:
        raise _Wrong(MISSING, f"the argument {name} is missing")
    return text


def _failure(code: int, words: str) -> Response:
    told = _element("ErrorCode", str(code)) + _element("ErrorDescription", in_xml(words))
    return _answer("Error", _element("GeneralError", told))


def _answer(name: str, content: str) -> Response:
    body = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<VirtualInputResponse xmlns="{_NAMESPACE}"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' SchemaVersion="{MAJOR}.{MINOR}"'
        f' xsi:schemaLocation="{_NAMESPACE} {_NAMESPACE}_0.xsd">'
        f"{_element(name, content)}</VirtualInputResponse>\n"
    )
    return Response(200, body.encode(), XML)


def _element(name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>"
