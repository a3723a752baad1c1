"""What can be heard, and the orders by which it comes to the speaker: served by services.sound."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sipstrobe.audio.format import Samples, samples_in
from sipstrobe.audio.ring import SampleRing
from sipstrobe.commands import Command

REFILL_SAMPLES: Final = samples_in(0.15)  # what a source with `refill` has waiting


class SourceKind(StrEnum):
    """What a source is to the people who hear it; the policy of the mix goes by this."""

    CALL = "call"
    PAGE = "page"
    SIREN = "siren"
    CLIP = "clip"
    TONE = "tone"  # the health check's, which must be heard alone


@dataclass(frozen=True, slots=True, kw_only=True)
class AddSource(Command):
    """Let a source be heard from the next period of the card on. -> None

    Only the owner writes into the ring. An owner whose sound comes by itself (a call) leaves out
    `refill`; one that makes its sound (a siren, a clip) gives it: it is called at once and then
    every 20 ms on the loop, whenever less than REFILL_SAMPLES wait, with the number of samples
    to write. It may write fewer, or none when there is nothing left. Adding an owner that is
    there already replaces its source: the old one fades out while the new one fades in. What is
    not heard goes on all the same, so that it is up to date when its turn comes.

    place: in the list that decides between pages, calls and clips, where there is one and the place
    is not that of its kind. streamed: it has the place of audio streams there. on_heard: told at
    once whether it is heard, and whenever that changes. on_turn: the same of whether no other
    source silences it, however loud the speaker is set: for sound that can wait. relayable: it may
    go out as multicast.

    Refused: too_many_sources.
    """

    owner: str
    kind: SourceKind
    ring: SampleRing = field(repr=False)
    rank: int  # larger wins
    refill: Callable[[int], None] | None = field(default=None, repr=False)
    heard: bool = True
    place: int | None = None  # 1 is the first
    streamed: bool = False
    on_heard: Callable[[bool], None] | None = field(default=None, repr=False)
    on_turn: Callable[[bool], None] | None = field(default=None, repr=False)
    relayable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HearSource(Command):
    """Fade a source in or out, which goes on; nothing to do when the owner has none. -> None"""

    owner: str
    heard: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveSource(Command):
    """Fade a source out and forget it; nothing to do when the owner has none. -> None"""

    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SayInCall(Command):
    """Let the other side of an active call hear a source of sound, after what it hears before the
    room already. -> None. Served by services.phone. Refused: unknown_call.

    sound: asked for that many samples at 48 kHz; None: it is over.
    """

    call: str
    sound: Callable[[int], Samples | None] = field(repr=False)
