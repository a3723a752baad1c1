"""Actions on what is heard and recorded."""

from collections.abc import Mapping
from typing import Annotated, cast

from msgspec import Meta

from sipstrobe import commands
from sipstrobe.commands import CLIP_RANK, CLIP_VOLUME_DB, MAX_REPEAT, Command, RecordingSource
from sipstrobe.rules.actions.base import RuleAction

MAX_SECONDS = 24 * 3600  # of a recording
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


class PlayClip(RuleAction, tag="play_clip", frozen=True, kw_only=True):
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


class PlayClipWhile(RuleAction, tag="play_clip_while", frozen=True, kw_only=True):
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


class StopClip(RuleAction, tag="stop_clip", frozen=True, kw_only=True):
    """Stop a clip, whoever plays it (CLP-08)."""

    words = "Stop a clip"
    clip: Annotated[ClipName | None, Meta(title="Clip", description="Null: all clips.")] = None

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.StopClip(clip=self.clip)


class StopPages(RuleAction, tag="stop_pages", frozen=True, kw_only=True):
    """Stop a page that is played after its call, and forget those that wait."""

    words = "Stop pages that are played later"

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.StopPages()


class Record(RuleAction, tag="record", frozen=True, kw_only=True):
    """Record for some time; of the source "call", the one that fired the rule."""

    words = "Record"
    source: _Source
    seconds: Annotated[int, Meta(ge=1, le=MAX_SECONDS, title="Length")]

    def command(self, items: Mapping[str, str]) -> Command:
        return _recording(self.source, self.seconds, items)


class RecordWhile(RuleAction, tag="record_while", frozen=True, kw_only=True):
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
