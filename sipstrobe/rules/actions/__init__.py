"""What a rule can do: each action is a Struct that says which command it is.

A new action is one class in the file of its subject and its name in `Action`.
"""

from sipstrobe.rules.actions.calls import AnswerCall, Call, CallWhile, HangUp, SendDigits
from sipstrobe.rules.actions.device import (
    CheckHealth,
    Locate,
    SetTrigger,
    SwitchMaintenance,
    SwitchVolume,
    WriteToLog,
)
from sipstrobe.rules.actions.lights import (
    RunLight,
    RunSiren,
    StartLight,
    StartSiren,
    StopSignals,
)
from sipstrobe.rules.actions.mqtt import PublishMqtt
from sipstrobe.rules.actions.pages import PageAction, PageClip, PageWhile
from sipstrobe.rules.actions.ports import (
    PulseOutput,
    SetOutput,
    SetOutputWhile,
    SetVirtualInput,
    SetVirtualInputWhile,
)
from sipstrobe.rules.actions.sending import (
    CallRecipient,
    SendHttp,
    SendMail,
    SendTcp,
    UploadFile,
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
from sipstrobe.rules.actions.speaker import CheckSpeaker

__all__ = [
    "MAX_SECONDS",
    "Action",
    "AnswerCall",
    "Call",
    "CallRecipient",
    "CallWhile",
    "CheckHealth",
    "CheckSpeaker",
    "HangUp",
    "Locate",
    "OwnPriority",
    "PageAction",
    "PageClip",
    "PageWhile",
    "PlayClip",
    "PlayClipWhile",
    "PublishMqtt",
    "PulseOutput",
    "Record",
    "RecordWhile",
    "RunLight",
    "RunProfile",
    "RunSiren",
    "SendDigits",
    "SendHttp",
    "SendMail",
    "SendTcp",
    "SetOutput",
    "SetOutputWhile",
    "SetTrigger",
    "SetVirtualInput",
    "SetVirtualInputWhile",
    "ShowColor",
    "StartLight",
    "StartProfile",
    "StartSiren",
    "StopClip",
    "StopPages",
    "StopProfile",
    "StopSignals",
    "SwitchMaintenance",
    "SwitchVolume",
    "UploadFile",
    "WriteToLog",
]

Action = (
    RunProfile
    | StartProfile
    | StopProfile
    | AnswerCall
    | HangUp
    | Call
    | CallWhile
    | SendDigits
    | PlayClip
    | PlayClipWhile
    | StopClip
    | PageClip
    | PageWhile
    | StopPages
    | Record
    | RecordWhile
    | ShowColor
    | StartLight
    | RunLight
    | StartSiren
    | RunSiren
    | StopSignals
    | Locate
    | CheckHealth
    | CheckSpeaker
    | SwitchMaintenance
    | SwitchVolume
    | SetTrigger
    | WriteToLog
    | SendHttp
    | SendMail
    | SendTcp
    | UploadFile
    | CallRecipient
    | PublishMqtt
    | SetOutput
    | SetOutputWhile
    | PulseOutput
    | SetVirtualInput
    | SetVirtualInputWhile
)
