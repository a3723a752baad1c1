"""The whole state in JSON."""

from datetime import datetime
from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from sipstrobe.web.told.calls import CallTold, NatTold, RegistrationTold
from sipstrobe.web.told.common import Chain, Instant, Problem
from sipstrobe.web.told.signals import FunctionTold, HealthTold, MaintenanceTold, ProfileTold
from sipstrobe.web.told.sound import (
    DelayedPagesTold,
    MicrophoneTold,
    MulticastTold,
    PlaybackTold,
    RecordingTold,
    SoundTold,
    StreamTold,
)
from sipstrobe.web.told.talk import TalkerTold


class DeviceTold(TypedDict):
    """The device as such."""

    name: str
    serial: str
    version: str
    wall: datetime
    uptime_seconds: float


class TriggerTold(TypedDict):
    """A manual trigger."""

    trigger: int
    name: str
    active: bool


class PortTold(TypedDict):
    """A port. why: because of what it is active or not by now; empty: nobody has told yet."""

    port: int
    name: str
    usage: str
    direction: Literal["input", "output"]
    normal_state: Literal["open", "closed"]
    state: str
    active: bool
    supervised: bool
    driver: str
    problem: Problem
    why: Chain


class VirtualInputTold(TypedDict):
    """A virtual input. seconds_left: null: it is not switched back by itself. why: because of what
    it was switched last; empty: it was not since the start."""

    input: int
    name: str
    active: bool
    seconds_left: float | None
    why: Chain


class OutboxTold(TypedDict):
    """The outbox, in short. waiting, results: how many; failing: the recipients that fail."""

    waiting: int
    failing: list[str]
    results: int


class MqttTold(TypedDict):
    """The MQTT client."""

    active: bool
    connected: bool
    words: str
    broker: str
    sent: int
    received: int
    waiting: int
    dropped: int
    prefix: str


class HomeTold(TypedDict):
    """What a home is told over MQTT, and orders."""

    discovery: bool
    commands: bool
    topics: int
    orders: int
    dropped: int


class SpanTold(TypedDict):
    """An occurrence; end: null for a pulse. RFC 3339 with the offset of its zone."""

    start: str
    end: str | None


class ScheduleTold(TypedDict):
    """A schedule. rules: those that it is used in."""

    name: str
    text: Annotated[str, Meta(description="RFC 5545.")]
    kind: Literal["interval", "pulse"]
    time_zone: str
    active: bool
    next: list[SpanTold]
    rules: list[str]


class StorageTold(TypedDict):
    """The disk."""

    alert: bool
    words: str
    free_mb: int


class SpeakerTestTold(TypedDict):
    """The test of the speaker. running: calibration or test, or empty."""

    calibrated: bool
    way: str
    at: datetime | None
    running: str


class RuleHistoryTold(TypedDict):
    """What touched a rule."""

    at: Instant
    words: str


class RuleTold(TypedDict):
    """A rule in short. source: what it is a part of; empty: of nothing."""

    name: str
    enabled: bool
    source: str
    active: bool
    history: list[RuleHistoryTold]


class StatusTold(TypedDict):
    """Everything as it is now."""

    now: Instant
    device: DeviceTold
    maintenance: MaintenanceTold
    health: HealthTold | None
    functions: list[FunctionTold]
    profiles: list[ProfileTold]
    calls: list[CallTold]
    registrations: list[RegistrationTold]
    registrations_total: int
    listening: list[str]
    nat: NatTold
    sound: SoundTold
    clips: list[PlaybackTold]
    microphone: MicrophoneTold
    recordings: list[RecordingTold]
    pages: DelayedPagesTold
    multicast: MulticastTold
    stream: StreamTold
    talk: list[TalkerTold]
    lights: Annotated[dict[str, Problem], Meta(description="By output.")]
    services: Annotated[dict[str, Problem], Meta(description="By part of the device.")]
    triggers: list[TriggerTold]
    ports: list[PortTold]
    virtual_inputs: list[VirtualInputTold]
    outbox: OutboxTold
    mqtt: MqttTold
    home: HomeTold
    schedules: list[ScheduleTold]
    storage: StorageTold
    speaker_test: SpeakerTestTold
    rules: list[RuleTold]
