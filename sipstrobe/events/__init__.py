"""Facts: what has happened and what holds, each with its declaration; by subject.

The declaration of an event (`declare`) is all that the rule editor, the streams and the
documentation know of it.
"""

from sipstrobe.events.calls import (
    CallAudioChanged,
    CallReason,
    CallState,
    CallStateChanged,
    CallStatus,
    DigitReceived,
    Direction,
    FloodNoticed,
    MessageReceived,
    PinRefused,
    RegistrationChanged,
    RegistrationState,
    SequenceReceived,
)
from sipstrobe.events.declare import DECLARED, Event, Kind, Outside, choices
from sipstrobe.events.device import (
    LogWritten,
    RuleActionFailed,
    RuleStateChanged,
    ServiceStateChanged,
    SettingsChanged,
)
from sipstrobe.events.inputs import (
    InputPortChanged,
    LineState,
    ManualTriggerChanged,
    OutputPortChanged,
    VirtualInputChanged,
)
from sipstrobe.events.mqtt import MqttClientChanged, MqttMessageReceived, MqttStateChanged
from sipstrobe.events.network import AddressChanged, HearingChanged, HearingState, LinkLost
from sipstrobe.events.sending import OutboxChanged, SendResult
from sipstrobe.events.signals import (
    Function,
    HealthCheckDone,
    MaintenanceChanged,
    OperationChanged,
    OperationPhase,
)
from sipstrobe.events.sound import (
    ClipPlaying,
    LiveStreamChanged,
    MicrophoneChanged,
    OutputActive,
    PageState,
    PageStateChanged,
    RecordingChanged,
    SoundLevelChanged,
    SoundPlayed,
    StreamStateChanged,
    VolumeChanged,
)
from sipstrobe.events.time import (
    ClockSet,
    DeviceStarted,
    ScheduleInterval,
    SchedulePulse,
    StartReason,
)
from sipstrobe.events.upkeep import AddressBlocked, SignInFailed, SpeakerTested, StorageAlert

__all__ = [
    "DECLARED",
    "AddressBlocked",
    "AddressChanged",
    "CallAudioChanged",
    "CallReason",
    "CallState",
    "CallStateChanged",
    "CallStatus",
    "ClipPlaying",
    "ClockSet",
    "DeviceStarted",
    "DigitReceived",
    "Direction",
    "Event",
    "FloodNoticed",
    "Function",
    "HealthCheckDone",
    "HearingChanged",
    "HearingState",
    "InputPortChanged",
    "Kind",
    "LineState",
    "LinkLost",
    "LiveStreamChanged",
    "LogWritten",
    "MaintenanceChanged",
    "ManualTriggerChanged",
    "MessageReceived",
    "MicrophoneChanged",
    "MqttClientChanged",
    "MqttMessageReceived",
    "MqttStateChanged",
    "OperationChanged",
    "OperationPhase",
    "OutboxChanged",
    "OutputActive",
    "OutputPortChanged",
    "Outside",
    "PageState",
    "PageStateChanged",
    "PinRefused",
    "RecordingChanged",
    "RegistrationChanged",
    "RegistrationState",
    "RuleActionFailed",
    "RuleStateChanged",
    "ScheduleInterval",
    "SchedulePulse",
    "SendResult",
    "SequenceReceived",
    "ServiceStateChanged",
    "SettingsChanged",
    "SignInFailed",
    "SoundLevelChanged",
    "SoundPlayed",
    "SpeakerTested",
    "StartReason",
    "StorageAlert",
    "StreamStateChanged",
    "VirtualInputChanged",
    "VolumeChanged",
    "choices",
]
