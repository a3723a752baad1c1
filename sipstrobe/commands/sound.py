"""Orders about what is heard.

PlayClip and StopClip: served by services.clips; PageOut and StopPageOut: by services.page_out;
StopPages: by services.delayed_pages;
StartRecording and StopRecording: by services.recorder.
"""

from dataclasses import dataclass
from typing import Literal

from sipstrobe.commands.base import Command

CLIP_RANK = 5  # of a clip, where nothing says otherwise
MAX_REPEAT = 1000
PageCodec = Literal["opus", "G722", "PCMU", "PCMA", "G726-32", "L16/16000", "L16/8000", "L16/48000"]
CLIP_VOLUME_DB = (-60.0, 20.0)  # at the least it is silent


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayClip(Command):
    """Play a clip of the library. -> int, the id of this playback

    repeat: how often again after the first time (CLP-06: 0 means once), None: until it is stopped.
    volume_db: CLIP_VOLUME_DB, against the clip as it is stored. priority: 1…10.
    Refused: unknown_clip, clip_missing, repeat, volume, priority, too_many_clips.
    """

    clip: str
    repeat: int | None = 0
    volume_db: float = 0.0
    priority: int = CLIP_RANK


@dataclass(frozen=True, slots=True, kw_only=True)
class StopClip(Command):
    """Stop one playback, all of one clip, or (neither given) all there are; no fault if nothing
    plays. -> None. Refused: unknown_clip."""

    playback: int | None = None
    clip: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOut(Command):
    """Say a clip to a multicast group, as soon as nobody else speaks to it. -> int, the id of this
    page

    port: of RTP, RTCP has the next. codec: None: the common one of pages. ttl: how many networks it
    may cross. interface: its name, empty: the system's choice. repeat: how often again after the
    first time, None: until it is stopped.
    Refused: unknown_clip, clip_missing, address, port, codec, ttl, interface, repeat,
    too_many_pages, follows_from_page.
    """

    clip: str
    address: str
    port: int = 5004
    codec: PageCodec | None = None
    ttl: int = 1
    interface: str = ""
    repeat: int | None = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPageOut(Command):
    """End one page that goes out or waits to, None: all; no fault if it is over. -> None"""

    page: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPages(Command):
    """Stop the page that is played after its call, and forget those that wait. -> None"""


RecordingSource = Literal["call", "speaker", "microphone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRecording(Command):
    """Record into the store. -> str, the name of the recording

    call: which, for the source "call" (both sides of it); None = the one that is active longest.
    seconds: it ends by itself after so many. Refused: no_call, no_microphone, seconds,
    storage_full, too_many_recordings.
    """

    source: RecordingSource
    call: str | None = None
    seconds: int = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRecording(Command):
    """End a recording; None = all. No fault if it has ended. -> None"""

    recording: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVolume(Command):
    """Change the master volume until the settings next say otherwise; None: leave it. -> None

    Refused: volume.
    """

    volume_db: float | None = None  # VOLUME_MIN_DB … 0
    muted: bool | None = None
