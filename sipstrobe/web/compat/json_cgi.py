"""The JSON envelope that control programs know: method, version and context in, data or error out.

An error of the API is HTTP 200 with `error` in place of `data`; only who may not come in sees
another status.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, cast

import msgspec

from sipstrobe.config.users import Role
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.web import exchange
from sipstrobe.web.exchange import HttpProblem, Request, Response
from sipstrobe.web.multipart import is_form, parse_form

logger = logging.getLogger(__name__)

INTERNAL, NOT_READY = 1100, 1200
VERSION, BAD_JSON, UNKNOWN_METHOD, MISSING, BAD_VALUE = 2100, 2101, 2102, 2103, 2104
FORBIDDEN, TOO_LARGE = 2105, 2106

_TEXTS = {
    INTERNAL: "Internal error",
    NOT_READY: "The service is not initialized",
    VERSION: "The API version is not supported",
    BAD_JSON: "Invalid JSON format",
    UNKNOWN_METHOD: "The method is not supported",
    MISSING: "A required parameter is missing",
    BAD_VALUE: "A parameter value is invalid",
    FORBIDDEN: "This account may not do that",
    TOO_LARGE: "The request is too large",
}
OTHER_CODES: Final = {  # of the APIs that describe the device; their numbers for the same
    INTERNAL: 8000,
    VERSION: 2003,
    BAD_JSON: 4000,
    UNKNOWN_METHOD: 2004,
    MISSING: 4002,
    BAD_VALUE: 1000,
    FORBIDDEN: 2001,
}
ONLY_POST: Final = 2002  # theirs alone: to all others a wrong HTTP method is a status


class ApiError(Exception):
    """What a client did wrong, by the API's number. Clients look at the number only.

    more: other members of the error.
    """

    def __init__(self, code: int, message: str = "", **more: object) -> None:
        super().__init__(message or _TEXTS[code])
        self.code = code
        self.more = more

    @property
    def told(self) -> dict[str, Any]:
        return {"code": self.code, "message": str(self), **self.more}


def missing(name: str) -> NoReturn:
    raise ApiError(MISSING, f"{_TEXTS[MISSING]}: {name}")


def invalid(name: str, wanted: str) -> NoReturn:
    raise ApiError(BAD_VALUE, f"{_TEXTS[BAD_VALUE]}: {name} must be {wanted}")


class Params:
    """An object of the request. What is wrong in it is raised as ApiError; null counts as absent.

    Members that we do not know are passed over.
    """

    def __init__(self, values: Mapping[str, Any], files: Mapping[str, bytes] | None = None) -> None:
        self._values = {name: value for name, value in values.items() if value is not None}
        self.files: Mapping[str, bytes] = files or {}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if value is None:
            missing(name)
        return value if isinstance(value, str) else invalid(name, "a string")

    def number(self, name: str) -> int:
        """An integer, also as a string of digits: some tables of the API call it a string."""
        value = self._values.get(name)
        if value is None:
            missing(name)
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value):
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        invalid(name, "an integer")

    def flag(self, name: str) -> bool:
        value = self._values.get(name)
        if value is None:
            missing(name)
        return value if isinstance(value, bool) else invalid(name, "true or false")

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._values.get(name)
        if value is None:
            missing(name)
        if not isinstance(value, list):
            invalid(name, "an array of strings")
        entries = cast("list[Any]", value)
        if not all(isinstance(entry, str) for entry in entries):
            invalid(name, "an array of strings")
        return tuple(entries)

    def object(self, name: str) -> "Params":
        value = self._values.get(name)
        if value is None:
            missing(name)
        if not isinstance(value, dict):
            invalid(name, "an object")
        return Params(cast("dict[str, Any]", value))

    def objects(self, name: str) -> "list[Params]":
        value = self._values.get(name)
        if value is None:
            missing(name)
        if not isinstance(value, list):
            invalid(name, "an array of objects")
        entries = cast("list[Any]", value)
        if not all(isinstance(entry, dict) for entry in entries):
            invalid(name, "an array of objects")
        return [Params(entry) for entry in entries]


Method = Callable[[Params], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class JsonCgi:
    """One API: its version, and a function for each of its methods.

    free: methods that are answered whatever version the client asks for. roles: of methods that
    need more than the route does. lists: params may be an array, and methods find it as the member
    "params". max_bytes: of a request, where the API has a number for more; 0: it has none.
    codes: its numbers, where they are not the common ones. nameless: its answers name no method but
    a free one. takes: the newest version that may be asked for, where that is not its own. admit:
    of a door that is open to all: lets nobody into a method of `roles` who has not proven that
    role; raises HttpProblem.
    """

    version: str
    methods: Mapping[str, Method]
    free: tuple[str, ...] = ("getSupportedVersions",)
    roles: Mapping[str, Role] = field(default_factory=dict[str, Role])
    lists: bool = False
    max_bytes: int = 0
    codes: Mapping[int, int] = field(default_factory=dict[int, int])
    nameless: bool = False
    takes: str = ""
    admit: Callable[[Request, Role], object] | None = None

    def respond(self, request: Request) -> Response:
        """The answer, always JSON; what goes wrong in a method is error 1100 and a log line."""
        reply: dict[str, Any] = {"apiVersion": self.version}
        try:
            if self.max_bytes and len(request.body) > self.max_bytes:
                raise ApiError(TOO_LARGE)
            envelope, files = _open(request)
            reply |= self._echo(envelope)
            reply["data"] = self._call(envelope, files, request)
        except ApiError as error:
            reply["error"] = self._told(error)
        except HttpProblem:
            raise
        except Exception:
            logger.exception("method %.64r failed", reply.get("method"))
            reply["error"] = self._told(ApiError(INTERNAL))
        return exchange.json(reply)

    def refuse_method(self, _: Request) -> Response:
        """The answer to GET, of an API that has a number for that."""
        error = {"code": ONLY_POST, "message": "Only POST is supported"}
        return exchange.json({"apiVersion": self.version, "error": error})

    def unstored(self, request: Request) -> Response:
        """The answer to a change that could not be stored."""
        envelope, _ = _open(request)
        reply: dict[str, Any] = {"apiVersion": self.version, **self._echo(envelope)}
        return exchange.json(reply | {"error": self._told(ApiError(INTERNAL))})

    def _told(self, error: ApiError) -> dict[str, Any]:
        return {**error.told, "code": self.codes.get(error.code, error.code)}

    def _echo(self, envelope: dict[str, Any]) -> dict[str, Any]:
        """What of the request comes back."""
        named = not self.nameless or envelope.get("method") in self.free
        names = ("context", "method") if named else ("context",)
        return {name: envelope[name] for name in names if name in envelope}

    def _call(
        self, envelope: dict[str, Any], files: Mapping[str, bytes], request: Request
    ) -> dict[str, Any]:
        head = Params(envelope)
        name = head.text("method")
        if name not in self.free:
            self._check_version(head.text("apiVersion"))
        method = self.methods.get(name)
        if method is None:
            raise ApiError(UNKNOWN_METHOD)
        if name in self.roles:
            self._refuse_unless(request, self.roles[name])
        params = envelope.get("params")
        if self.lists and isinstance(params, list):
            params = {"params": cast("list[Any]", params)}
        if not isinstance(params, dict | None):
            invalid("params", "an object")
        return method(Params(cast("dict[str, Any]", params or {}), files))

    def _refuse_unless(self, request: Request, role: Role) -> None:
        if self.admit is not None:
            self.admit(request, role)
        elif not _may(request, role):
            raise ApiError(FORBIDDEN)

    def _check_version(self, asked: str) -> None:
        """A known major with any minor up to the newest; a bare major means that."""
        major, _, newest = (self.takes or self.version).partition(".")
        match = re.fullmatch(r"([0-9]{1,4})(?:\.([0-9]{1,4}))?", asked)
        if match is None or match[1] != major or int(match[2] or 0) > int(newest):
            raise ApiError(VERSION)


def _may(request: Request, role: Role) -> bool:
    ranks = list(Role)
    who = request.principal
    return who is not None and ranks.index(who.role) >= ranks.index(role)


def decode(data: bytes) -> Any:
    """Any JSON value, or ApiError 2101."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise ApiError(BAD_JSON) from None


def _open(request: Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The envelope, and the files that came with it as a form."""
    content_type = request.header("content-type")
    body, files = request.body, dict[str, bytes]()
    if is_form(content_type):
        try:
            parts = parse_form(content_type, body)
        except RemoteProtocolError:
            raise ApiError(BAD_JSON) from None
        files = {part.name: part.content for part in parts}
        body = files.pop("request", b"")
    envelope = decode(body)
    if not isinstance(envelope, dict):
        raise ApiError(BAD_JSON)
    return cast("dict[str, Any]", envelope), files
