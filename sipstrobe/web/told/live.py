"""The messages of the live feed in JSON."""

from typing import Annotated, Any, Final, Literal, TypedDict

from msgspec import Meta

from sipstrobe.events import Function
from sipstrobe.web.told.common import Chain, Instant, Level
from sipstrobe.web.told.sound import MicrophoneTold, SoundTold
from sipstrobe.web.told.status import StatusTold

Seq = Annotated[
    int, Meta(description="Of the newest thing that the listener knows, for ?after=SEQ.")
]


class HelloMessage(TypedDict):
    """The first message. resumed: what comes goes on where ?after= left off."""

    type: Literal["hello"]
    at: Instant
    seq: Seq
    resumed: bool


class WholeStateMessage(TypedDict):
    """What is so now."""

    type: Literal["state"]
    at: Instant
    seq: Seq
    whole: Literal[True]
    state: StatusTold


class ChangedStateMessage(TypedDict):
    """The members of the status that have changed, each in the place of the one before."""

    type: Literal["state"]
    at: Instant
    seq: Seq
    whole: Literal[False]
    state: Annotated[dict[str, Any], Meta(description="Members of StatusTold.")]


class ChainTold(TypedDict):
    """An event, and what led to it."""

    chain: Chain


class EventsMessage(TypedDict):
    """What has happened, the oldest first; skipped: how many were left out before them."""

    type: Literal["events"]
    at: Instant
    seq: Seq
    events: list[ChainTold]
    skipped: int


class FrameMessage(TypedDict):
    """What a light shows: colour (empty: dark) and level (0 … 1) of the sides A, B, C, D."""

    type: Literal["frame"]
    at: Instant
    seq: Seq
    light: Function
    sides: list[tuple[str, float]]


class LevelsMessage(TypedDict):
    """How loud the calls, by id, and the speaker are."""

    type: Literal["levels"]
    at: Instant
    seq: Seq
    calls: dict[str, Level]
    sound: Level


class SoundMessage(TypedDict):
    """The sound in full, for those who have said that they look at it."""

    type: Literal["sound"]
    at: Instant
    seq: Seq
    sound: SoundTold
    microphone: MicrophoneTold


LIVE_MESSAGES: Final = (
    HelloMessage,
    WholeStateMessage,
    ChangedStateMessage,
    EventsMessage,
    FrameMessage,
    LevelsMessage,
    SoundMessage,
)
