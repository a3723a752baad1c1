"""POST /api/v1/commands/<name>: every order that people may give, as JSON."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from sipstrobe.audio.source import SetVolume
from sipstrobe.bus import Dispatcher
from sipstrobe.commands import (
    AnswerCall,
    Command,
    Dial,
    HangUp,
    LocateDevice,
    PlayClip,
    RunHealthCheck,
    SendDigits,
    SetMaintenance,
    SetManualTrigger,
    StartOperation,
    StartProfile,
    StartRecording,
    StopAll,
    StopClip,
    StopOperations,
    StopPages,
    StopProfile,
    StopRecording,
)
from sipstrobe.config.users import Role
from sipstrobe.web.describe import name_of
from sipstrobe.web.exchange import HttpProblem, Request, Response, Route, json

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PATH = "/api/v1/commands/"

T = TypeVar("T", bound="DataclassInstance")

COMMANDS: dict[str, type[Command]] = {
    name_of(command): command
    for command in (
        StartProfile,
        StopProfile,
        StartOperation,
        StopOperations,
        StopAll,
        SetMaintenance,
        RunHealthCheck,
        LocateDevice,
        SetManualTrigger,
        Dial,
        AnswerCall,
        HangUp,
        SendDigits,
        PlayClip,
        StopClip,
        StopPages,
        StartRecording,
        StopRecording,
        SetVolume,
    )
}


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
    values = read_object(body)
    known = {field.name for field in fields(kind)}
    for name in values:
        if name not in known:
            words = f"there is no such field; there are {', '.join(sorted(known)) or 'none'}"
            raise HttpProblem(400, words, field=name[:64])
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at ")
        field = place.strip("`").removeprefix("$.")
        raise HttpProblem(400, words, field=field or _missing(words)) from None


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object; nothing at all counts as an empty one. Raises HttpProblem 400."""
    try:
        value = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise HttpProblem(400, "the body is not JSON") from None
    if not isinstance(value, dict):
        raise HttpProblem(400, "the body must be a JSON object")
    return cast("dict[str, Any]", value)


def _missing(words: str) -> str:
    """The field's name out of "Object missing required field `name`"."""
    return words.split("`")[1] if words.count("`") >= 2 else ""
