"""What a rule can do: each action is a Struct that says which command it is.

A new action is one class in the file of its subject and its name in `Action`.
"""

from sipstrobe.rules.actions.calls import AnswerCall, HangUp, SendDigits
from sipstrobe.rules.actions.ports import (
    PulseOutput,
    SetOutput,
    SetOutputWhile,
    SetVirtualInput,
    SetVirtualInputWhile,
)
from sipstrobe.rules.actions.signals import (
    OwnPriority,
    RunProfile,
    ShowColor,
    StartProfile,
    StopProfile,
)
from sipstrobe.rules.actions.sound import (
    MAX_SECONDS,
    PlayClip,
    PlayClipWhile,
    Record,
    RecordWhile,
    StopClip,
    StopPages,
)

__all__ = [
    "MAX_SECONDS",
    "Action",
    "AnswerCall",
    "HangUp",
    "OwnPriority",
    "PlayClip",
    "PlayClipWhile",
    "PulseOutput",
    "Record",
    "RecordWhile",
    "RunProfile",
    "SendDigits",
    "SetOutput",
    "SetOutputWhile",
    "SetVirtualInput",
    "SetVirtualInputWhile",
    "ShowColor",
    "StartProfile",
    "StopClip",
    "StopPages",
    "StopProfile",
]

Action = (
    RunProfile
    | StartProfile
    | StopProfile
    | AnswerCall
    | HangUp
    | SendDigits
    | PlayClip
    | PlayClipWhile
    | StopClip
    | StopPages
    | Record
    | RecordWhile
    | ShowColor
    | SetOutput
    | SetOutputWhile
    | PulseOutput
    | SetVirtualInput
    | SetVirtualInputWhile
)
