"""What a rule can do: each action is a Struct that says which command it is.

A new action is one class here and its name in `Action`.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, cast

from msgspec import Meta, Struct

from sipstrobe import commands
from sipstrobe.commands import (
    CLIP_RANK,
    CLIP_VOLUME_DB,
    MAX_REPEAT,
    Command,
    OperationId,
    RecordingSource,
)
from sipstrobe.events import Function

MAX_DIGITS = 64
MAX_SECONDS = 24 * 3600  # of a recording

ProfileName = Annotated[str, Meta(min_length=1, max_length=50, title="Profile")]
OwnPriority = Annotated[int, Meta(ge=1, le=10)] | None
_OwnPriority = Annotated[
    OwnPriority, Meta(title="Priority", description="1 to 10; null: those of the profile.")
]

ClipName = Annotated[str, Meta(min_length=1, max_length=45, title="Clip")]
_Volume = Annotated[
    float,
    Meta(
        ge=CLIP_VOLUME_DB[0],
        le=CLIP_VOLUME_DB[1],
        title="Volume",
        description="In dB, against the clip as it is.",
    ),
]
_Priority = Annotated[int, Meta(ge=1, le=10, title="Priority")]
_Source = Annotated[
    RecordingSource,
    Meta(title="Source", description="Call: both sides of it. Speaker: all that is played."),
]


class _Action(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    """Base of all actions."""

    words: ClassVar[str]
    lasting: ClassVar[bool] = False  # True: undone when the rule ends
    replaces: ClassVar[bool] = False  # True: the same order once more replaces the first (MIX-02)

    @property
    def for_each(self) -> str:
        """The item of which all are meant that a condition holds of, where the event that fired
        the rule has none; empty: only the oldest is."""
        return ""

    def command(self, items: Mapping[str, str]) -> Command:
        """The order to give. items: of the event that fired the rule, and what its conditions
        hold of."""
        raise NotImplementedError

    def undo(self, result: object) -> Command:
        """The order that ends what `result`, the answer to the command, tells of; if lasting."""
        raise NotImplementedError


class RunProfile(_Action, tag="run_profile", frozen=True, kw_only=True):
    """Run a light and siren profile while the rule is active."""

    words = "Run a profile while the rule is active"
    lasting = True
    replaces = True
    profile: ProfileName
    priority: _OwnPriority = None

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.StartProfile(profile=self.profile, priority=self.priority)

    def undo(self, result: object) -> Command:
        operations = cast("tuple[OperationId, ...]", result)
        return commands.StopOperations(operations=operations, tolerant=True)


class StartProfile(_Action, tag="start_profile", frozen=True, kw_only=True):
    """Start a light and siren profile; it runs for its own duration."""

    words = "Start a profile"
    profile: ProfileName
    priority: _OwnPriority = None

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.StartProfile(profile=self.profile, priority=self.priority)


class StopProfile(_Action, tag="stop_profile", frozen=True, kw_only=True):
    """Stop a light and siren profile, whoever started it."""

    words = "Stop a profile"
    profile: ProfileName

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.StopProfile(profile=self.profile)


class AnswerCall(_Action, tag="answer_call", frozen=True, kw_only=True):
    """Answer the call that fired the rule, else the one that rings longest, or all of them."""

    words = "Answer the call"
    all: Annotated[
        bool,
        Meta(
            title="All that ring",
            description="Of calls that a condition holds of, not only the one that rings longest.",
        ),
    ] = False

    @property
    def for_each(self) -> str:
        return "call" if self.all else ""

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.AnswerCall(call=items.get("call"))


class HangUp(_Action, tag="hang_up", frozen=True, kw_only=True):
    """End the call that fired the rule, else all calls."""

    words = "Hang up"

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.HangUp(call=items.get("call"))


class SendDigits(_Action, tag="send_digits", frozen=True, kw_only=True):
    """Send DTMF in the call that fired the rule, else in all that are active."""

    words = "Send digits"
    digits: Annotated[
        str,
        Meta(
            pattern=rf"^[0-9A-D*#,]{{1,{MAX_DIGITS}}}$(?!\n)",
            title="Digits",
            description=f"1 to {MAX_DIGITS} of 0–9, A–D, * and #; a comma is a pause.",
        ),
    ]

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.SendDigits(call=items.get("call"), digits=self.digits)


class PlayClip(_Action, tag="play_clip", frozen=True, kw_only=True):
    """Play a clip, to its end (CLP-06)."""

    words = "Play a clip"
    clip: ClipName
    repeat: Annotated[
        int,
        Meta(ge=0, le=MAX_REPEAT, title="Repeat", description="How often again; 0: it plays once."),
    ] = 0
    volume_db: _Volume = 0.0
    priority: _Priority = CLIP_RANK

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.PlayClip(
            clip=self.clip, repeat=self.repeat, volume_db=self.volume_db, priority=self.priority
        )


class PlayClipWhile(_Action, tag="play_clip_while", frozen=True, kw_only=True):
    """Play a clip again and again while the rule is active."""

    words = "Play a clip while the rule is active"
    lasting = True
    clip: ClipName
    volume_db: _Volume = 0.0
    priority: _Priority = CLIP_RANK

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.PlayClip(
            clip=self.clip, repeat=None, volume_db=self.volume_db, priority=self.priority
        )

    def undo(self, result: object) -> Command:
        return commands.StopClip(playback=cast("int", result))


class StopClip(_Action, tag="stop_clip", frozen=True, kw_only=True):
    """Stop a clip, whoever plays it (CLP-08)."""

    words = "Stop a clip"
    clip: Annotated[ClipName | None, Meta(title="Clip", description="Null: all clips.")] = None

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.StopClip(clip=self.clip)


class StopPages(_Action, tag="stop_pages", frozen=True, kw_only=True):
    """Stop a page that is played after its call, and forget those that wait."""

    words = "Stop pages that are played later"

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.StopPages()


class Record(_Action, tag="record", frozen=True, kw_only=True):
    """Record for some time; of the source "call", the one that fired the rule."""

    words = "Record"
    source: _Source
    seconds: Annotated[int, Meta(ge=1, le=MAX_SECONDS, title="Length")]

    def command(self, items: Mapping[str, str]) -> Command:
        return _recording(self.source, self.seconds, items)


class RecordWhile(_Action, tag="record_while", frozen=True, kw_only=True):
    """Record while the rule is active; of the source "call", the one that fired the rule."""

    words = "Record while the rule is active"
    lasting = True
    source: _Source

    def command(self, items: Mapping[str, str]) -> Command:
        return _recording(self.source, MAX_SECONDS, items)

    def undo(self, result: object) -> Command:
        return commands.StopRecording(recording=cast("str", result))


def _recording(source: RecordingSource, seconds: int, items: Mapping[str, str]) -> Command:
    call = items.get("call") if source == "call" else None
    return commands.StartRecording(source=source, call=call, seconds=seconds)


class ShowColor(_Action, tag="show_color", frozen=True, kw_only=True):
    """Let a light have a colour while the rule is active; no sound belongs to it."""

    words = "Show a colour while the rule is active"
    lasting = True
    replaces = True
    light: Annotated[Literal["AudioLED", "SignalingLED"], Meta(title="Light")] = "AudioLED"
    color: Annotated[str, Meta(min_length=1, max_length=20, title="Colour")]
    priority: _OwnPriority = None

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.StartOperation(
            function=Function(self.light),
            pattern="Steady",
            colors=(self.color,),
            priority=self.priority,
        )

    def undo(self, result: object) -> Command:
        operation = cast("OperationId", result)
        return commands.StopOperations(operations=(operation,), tolerant=True)


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
)
