"""Every order that people may give, by name, and how one is read from JSON: for all doors alike."""

import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_type_hints

import msgspec

from sipstrobe.commands import (
    AnswerCall,
    CalibrateSpeaker,
    CallAndTell,
    Command,
    Dial,
    HangUp,
    LocateDevice,
    PageOut,
    PlayClip,
    PublishMqtt,
    RunHealthCheck,
    RunSequence,
    RunSpeakerTest,
    SendDigits,
    SendMessage,
    SetMaintenance,
    SetManualTrigger,
    SetOutput,
    SetVirtualInput,
    SetVolume,
    SimulateInput,
    StartOperation,
    StartProfile,
    StartRecording,
    StopAll,
    StopClip,
    StopOperations,
    StopPageOut,
    StopPages,
    StopProfile,
    StopRecording,
    TestRecipient,
    WriteLog,
)
from sipstrobe.config.check import words as said
from sipstrobe.errors import RemoteProtocolError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

FIELD_MAX = 64  # characters told of the name of an unknown field

T = TypeVar("T", bound="DataclassInstance")


class BadOrder(RemoteProtocolError):
    """What was sent describes no such order. field: which of its fields is wrong, if any."""

    def __init__(self, words: str, field: str = "") -> None:
        super().__init__(words)
        self.field = field


def name_of(command: type[Command]) -> str:
    """StartProfile -> start-profile"""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", command.__name__).lower()


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
        CalibrateSpeaker,
        RunSpeakerTest,
        LocateDevice,
        SetManualTrigger,
        SetVirtualInput,
        SetOutput,
        SimulateInput,
        RunSequence,
        Dial,
        CallAndTell,
        AnswerCall,
        HangUp,
        SendDigits,
        PlayClip,
        StopClip,
        PageOut,
        StopPageOut,
        StopPages,
        StartRecording,
        StopRecording,
        SetVolume,
        SendMessage,
        PublishMqtt,
        TestRecipient,
        WriteLog,
    )
}


def read_body(kind: type[T], body: bytes) -> T:
    """What a JSON object describes. Raises BadOrder that names the field."""
    values = read_object(body)
    known = {field.name for field in fields(kind)}
    for name in values:
        if name not in known:
            words = f"there is no such field; there are {', '.join(sorted(known)) or 'none'}"
            raise BadOrder(words, name[:FIELD_MAX])
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at ")
        field = place.strip("`").removeprefix("$.")
        if field in known:
            words = said(get_type_hints(kind, include_extras=True)[field]) or words
        elif not field and (missing := _missing(words)):
            raise BadOrder("is missing", missing) from None
        raise BadOrder(words, field) from None


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object; nothing at all counts as an empty one. Raises BadOrder."""
    try:
        value = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise BadOrder("the body is not JSON") from None
    if not isinstance(value, dict):
        raise BadOrder("the body must be a JSON object")
    return cast("dict[str, Any]", value)


def _missing(words: str) -> str:
    """The field's name out of "Object missing required field `name`"."""
    return words.split("`")[1] if words.count("`") >= 2 else ""
