"""Orders to the device. Each kind is carried out by exactly one service.

`served by` names it; the result is what `Dispatcher.execute` returns. CommandRefused carries one of
the codes named here.
"""

from sipstrobe.commands.base import (
    Command,
)
from sipstrobe.commands.calls import (
    AnswerCall,
    CallAndTell,
    Dial,
    HangUp,
    SendDigits,
)
from sipstrobe.commands.inputs import (
    SetManualTrigger,
)
from sipstrobe.commands.log import (
    LogLevel,
    WriteLog,
)
from sipstrobe.commands.ports import (
    MAX_ACTIVE_SECONDS,
    MAX_STEP_MS,
    MAX_STEPS,
    PORTS,
    VIRTUAL_INPUTS,
    ConfigurePorts,
    PortChange,
    RunSequence,
    SetOutput,
    SetVirtualInput,
    SimulateInput,
    Step,
)
from sipstrobe.commands.sending import HttpMethod, PublishMqtt, SendMessage, TestRecipient
from sipstrobe.commands.settings import (
    ChangeSettings,
)
from sipstrobe.commands.signals import (
    MAX_LOCATE_SECONDS,
    MAX_MAINTENANCE_SECONDS,
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
    PageCodec,
    PageOut,
    PlayClip,
    RecordingSource,
    SetVolume,
    StartRecording,
    StopClip,
    StopPageOut,
    StopPages,
    StopRecording,
)
from sipstrobe.commands.speaker import CalibrateSpeaker, RunSpeakerTest

__all__ = [
    "CLIP_RANK",
    "CLIP_VOLUME_DB",
    "MAX_ACTIVE_SECONDS",
    "MAX_LOCATE_SECONDS",
    "MAX_MAINTENANCE_SECONDS",
    "MAX_REPEAT",
    "MAX_STEPS",
    "MAX_STEP_MS",
    "PORTS",
    "VIRTUAL_INPUTS",
    "AnswerCall",
    "CalibrateSpeaker",
    "CallAndTell",
    "ChangeSettings",
    "Command",
    "ConfigurePorts",
    "Dial",
    "DurationUnit",
    "HangUp",
    "HttpMethod",
    "LocateDevice",
    "LogLevel",
    "OperationId",
    "PageCodec",
    "PageOut",
    "PlayClip",
    "PortChange",
    "PublishMqtt",
    "RecordingSource",
    "RunHealthCheck",
    "RunSequence",
    "RunSpeakerTest",
    "SendDigits",
    "SendMessage",
    "SetMaintenance",
    "SetManualTrigger",
    "SetOutput",
    "SetVirtualInput",
    "SetVolume",
    "SimulateInput",
    "StartOperation",
    "StartProfile",
    "StartRecording",
    "Step",
    "StopAll",
    "StopClip",
    "StopOperations",
    "StopPageOut",
    "StopPages",
    "StopProfile",
    "StopRecording",
    "TestRecipient",
    "WriteLog",
]
