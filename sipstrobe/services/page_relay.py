"""The relay: what is heard here of calls to page extensions, and of clips, goes out as multicast.

What has come by multicast never does: neither a page, nor a clip that was started because of one.
Whoever else speaks to the group is not interrupted. Publishes: ServiceStateChanged.
"""

import logging
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

from sipstrobe.audio.source import SourceKind
from sipstrobe.clock import Handle
from sipstrobe.codecs.registry import CODECS
from sipstrobe.context import Context
from sipstrobe.errors import MediaError
from sipstrobe.events import ServiceStateChanged
from sipstrobe.multicast.fields import SUITES
from sipstrobe.multicast.relay import RelaySettings
from sipstrobe.rtp.session import NTP_EPOCH
from sipstrobe.services.floor import Floor, OwnStreams
from sipstrobe.services.group_line import COLLISION, RETRY, Line, Mouth
from sipstrobe.services.listed import Listed
from sipstrobe.services.page_causes import follows_from_page
from sipstrobe.services.relayed_sound import RelayedSound
from sipstrobe.services.seldom import Seldom
from sipstrobe.services.ticker import Ticker

if TYPE_CHECKING:
    from sipstrobe.rtp.group_srtp import GroupSrtp

logger = logging.getLogger(__name__)

_SOUNDS: Final = {SourceKind.PAGE: "calls", SourceKind.CLIP: "clips"}


class RelayState(StrEnum):
    IDLE = "idle"
    SENDING = "sending"
    BLOCKED = "blocked"  # something keeps it from sending


class Speaker(Protocol):
    """What the relay knows of the speaker."""

    watcher: Callable[[], None] | None  # told whenever it may be something else that is heard

    def relayable(self) -> Sequence[Listed]:
        """What is heard and may be relayed, the highest first."""
        ...


class PageRelay:
    """One sound at a time, the highest that is heard; a sound that another takes the place of ends
    with BYE at once, as does one that is over."""

    def __init__(self, context: Context, speaker: Speaker, line: Line) -> None:
        self.own = OwnStreams()  # of which nothing may be heard here
        self._context = context
        self._clock = context.clock
        self._speaker = speaker
        self._line = line
        self._ticker = Ticker(context.clock)
        self._wanted = RelaySettings()
        self._codec = ""
        self._srtp: GroupSrtp | None = None
        self._floor: Floor | None = None  # while the group is heard
        self._heard_since = 0.0
        self._source: Listed | None = None  # what is to go out
        self._sound: RelayedSound | None = None  # while it does
        self._mouth: Mouth | None = None
        self._leave: Callable[[], None] | None = None  # the ticker
        self._timer: Handle | None = None  # to try again
        self._beginnings = Seldom(logger, self._clock)  # lines of the log, of each source anew
        self._refusals = Seldom(logger, self._clock)
        self._problem = ""
        self._packets = 0  # of what went out last, and is not counted in the total yet
        self._total = context.measures.counter("relay_packets_total", "Packets of relayed sound")

    def apply(self, wanted: RelaySettings, codec: str) -> None:
        """Relay as these settings say from now on. codec: where they name none."""
        codec = wanted.codec or codec
        if (wanted, codec) == (self._wanted, self._codec):
            return
        self.close()
        self._wanted, self._codec = wanted, codec
        if wanted.enabled:
            self._srtp = _srtp(wanted)
            self._speaker.watcher = self._look
            self._look()
            self._open()

    def close(self) -> None:
        """Relay nothing."""
        self._speaker.watcher = self._source = None
        self._stop()
        self._shut()
        self._tell("")

    def snapshot(self) -> dict[str, Any]:
        """source: as the speaker calls it; packets: of it, or of the last there was; problem: why
        it is blocked, in words."""
        source, problem = self._source, self._why_not()
        if problem:
            state = RelayState.BLOCKED
        else:
            sending = self._sound is not None and self._sound.began_at is not None
            state = RelayState.SENDING if sending else RelayState.IDLE
        return {
            "state": state.value,
            "source": "" if source is None else source.command.owner,
            "packets": self._packets,
            "problem": problem,
        }

    # --- what is to go out ----------------------------------------------------------------------

    def _look(self) -> None:
        """The speaker may play something else."""
        source = next(filter(self._may_go_out, self._speaker.relayable()), None)
        if source is self._source:
            return
        self._stop()
        self._source = source
        if source is not None:
            self._beginnings = Seldom(logger, self._clock)
            self._refusals = Seldom(logger, self._clock)
            self._begin()
        elif self._floor is not None:
            self._tell("")

    def _may_go_out(self, source: Listed) -> bool:
        wanted = _SOUNDS.get(source.command.kind) in self._wanted.sounds
        return wanted and not follows_from_page(source.cause)

    def _begin(self) -> None:
        """Let it go out, if somebody wants to and the group is free."""
        if self._source is None or self._sound is not None or self._floor is None:
            return
        owner = self._source.command.owner
        if self._floor.talker:
            self._refusals.say("%s is not relayed: %s", owner, self._why_not())
            return
        try:
            self._mouth = self._line.speak(self._wanted)
        except MediaError as error:
            self._fail(str(error))
            return
        now = self._clock.now()
        self._sound = sound = RelayedSound(
            self._source.command.ring,
            self._mouth,
            self._codec,
            self._srtp,
            self._context.random_bytes,
            ntp_offset=self._clock.wall().timestamp() + NTP_EPOCH - now,
            now=now,
        )
        self._packets = 0
        self.own.add(self._mouth.local_port, sound.ssrc)
        self._leave = self._ticker.join(sound.interval, self._turn, after=now)
        self._beginnings.say("%s goes out to %s", owner, self._wanted.address)

    def _turn(self, due: float, now: float) -> None:
        sound, floor = self._sound, self._floor
        assert sound is not None
        assert floor is not None
        if sound.resting and floor.talker:
            self._stop()
            return
        try:
            sound.turn(due)
        except MediaError as error:
            self._fail(str(error))
            return
        self._count(sound)
        if sound.began_at is not None and self._problem:
            self._tell("")

    def _stop(self) -> None:
        """Say BYE, if anything was said."""
        sound, mouth, leave = self._sound, self._mouth, self._leave
        self._sound = self._mouth = self._leave = None
        if leave is not None:
            leave()
        if sound is not None:
            sound.end(now=self._clock.now())
            self._count(sound)
        if mouth is not None:
            mouth.close()

    def _count(self, sound: RelayedSound) -> None:
        self._total.add(sound.packets - self._packets)
        self._packets = sound.packets

    # --- the group ------------------------------------------------------------------------------

    def _open(self) -> None:
        """Hear the group, and speak to it if there is something to say."""
        codec, wanted = CODECS[self._codec], self._wanted
        if not codec.usable:
            self._tell(f"{codec.name} needs {codec.library}, which is not installed")
            return
        floor = Floor(self._clock, self.own, self._srtp, self._floor_changed)
        try:
            self._line.join(wanted, floor.receive, floor.receive_rtcp)
        except OSError as error:
            self._fail(f"{wanted.address} cannot be joined: {error.strerror or error}")
            return
        self._floor, self._heard_since = floor, self._clock.now()
        if self._source is None:
            self._tell("")
        else:
            self._begin()

    def _shut(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._floor is not None:
            self._floor.close()
            self._floor = None
            self._line.leave()

    def _fail(self, problem: str) -> None:
        """Try again later, from the beginning."""
        self._stop()
        self._shut()
        self._tell(problem)
        self._timer = self._clock.call_at(self._clock.now() + RETRY, self._open)

    def _floor_changed(self) -> None:
        """Somebody else has begun to speak to the group, or has ended."""
        floor, sound = self._floor, self._sound
        assert floor is not None
        if sound is None:
            self._begin()
        elif floor.talker and (sound.resting or self._gives_way(floor, sound)):
            self._stop()

    def _gives_way(self, floor: Floor, sound: RelayedSound) -> bool:
        """Of two who have begun at the same time, the one with the larger SSRC ends; both know. Who
        is heard as soon as we listen has begun before."""
        now, began_at = self._clock.now(), sound.began_at
        if now - self._heard_since < COLLISION:
            return True
        recent = began_at is not None and now - began_at < COLLISION
        return recent and floor.ssrc < sound.ssrc

    def _why_not(self) -> str:
        """Why what is heard does not go out; empty: it does, or nothing is heard."""
        if self._problem:
            return self._problem
        talker = "" if self._floor is None else self._floor.talker
        if self._source is None or self._sound is not None or not talker:
            return ""
        return f"{talker} speaks to {self._wanted.address}"

    def _tell(self, problem: str) -> None:
        if problem == self._problem:
            return
        self._problem = problem
        with self._context.trace.input("device", "multicast relay", self._clock.now()):
            self._context.bus.publish(
                ServiceStateChanged(service="relay", working=not problem, problem=problem)
            )


def _srtp(wanted: RelaySettings) -> "GroupSrtp | None":
    """Loaded only where there is a key."""
    key = wanted.srtp_key
    if not key:
        return None
    from sipstrobe.rtp.group_srtp import GroupSrtp

    return GroupSrtp(SUITES[wanted.cipher][len(key.reveal())], key)
