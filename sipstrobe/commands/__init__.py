"""Orders to the device. Each kind is carried out by exactly one service.

`served by` names it; the result is what `Dispatcher.execute` returns. CommandRefused carries one of
the codes named here.
"""

from sipstrobe.commands.base import (
    Command,
)
from sipstrobe.commands.calls import (
    AnswerCall,
    Dial,
    HangUp,
    SendDigits,
)
from sipstrobe.commands.inputs import (
    SetManualTrigger,
)
from sipstrobe.commands.sending import HttpMethod, PublishMqtt, SendMessage, TestRecipient
from sipstrobe.commands.settings import (
    ChangeSettings,
)
from sipstrobe.commands.signals import (
    DurationUnit,
    LocateDevice,
    OperationId,
    RunHealthCheck,
    SetMaintenance,
    StartOperation,
    StartProfile,
    StopAll,
    StopOperations,
    StopProfile,
)
from sipstrobe.commands.sound import (
    CLIP_RANK,
    CLIP_VOLUME_DB,
    MAX_REPEAT,
    PlayClip,
    RecordingSource,
    StartRecording,
    StopClip,
    StopPages,
    StopRecording,
)

__all__ = [
    "CLIP_RANK",
    "CLIP_VOLUME_DB",
    "MAX_REPEAT",
    "AnswerCall",
    "ChangeSettings",
    "Command",
    "Dial",
    "DurationUnit",
    "HangUp",
    "HttpMethod",
    "LocateDevice",
    "OperationId",
    "PlayClip",
    "PublishMqtt",
    "RecordingSource",
    "RunHealthCheck",
    "SendDigits",
    "SendMessage",
    "SetMaintenance",
    "SetManualTrigger",
    "StartOperation",
    "StartProfile",
    "StartRecording",
    "StopAll",
    "StopClip",
    "StopOperations",
    "StopPages",
    "StopProfile",
    "StopRecording",
    "TestRecipient",
]
