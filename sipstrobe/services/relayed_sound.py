"""One sound that goes out to a group while it is heard here."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sipstrobe.audio.ring import SampleRing
from sipstrobe.errors import MediaError
from sipstrobe.services.frame_talker import FrameTalker
from sipstrobe.services.ring_tap import RingTap
from sipstrobe.services.talker import Group

if TYPE_CHECKING:
    from sipstrobe.rtp.group_srtp import GroupSrtp

PATIENCE: Final = 0.1  # seconds that sound may be late; beyond it there is a pause


class RelayedSound:
    """Takes along what is written into a ring, and says it frame by frame.

    Turns come once a frame, on a grid. A frame that has not come by its turn is said with one of
    the next, and its timestamp is that of its turn nevertheless: what comes unevenly is evened out
    by those who hear it.
    """

    def __init__(
        self,
        ring: SampleRing,
        group: Group,
        codec: str,
        srtp: "GroupSrtp | None",
        random_bytes: Callable[[int], bytes],
        *,
        ntp_offset: float,
        now: float,
    ) -> None:
        """As for `Talker`."""
        self._talker = FrameTalker(group, codec, srtp, random_bytes, ntp_offset=ntp_offset, now=now)
        self._ring = ring
        self._tap = RingTap(ring, self._talker.frame_samples)
        self._at: float | None = None  # when the next frame begins

    @property
    def interval(self) -> float:
        """Seconds from one turn to the next."""
        return self._talker.interval

    @property
    def packets(self) -> int:
        return self._talker.packets

    @property
    def ssrc(self) -> int:
        return self._talker.ssrc

    @property
    def began_at(self) -> float | None:
        """The first turn at which anything was said."""
        return self._talker.began_at

    @property
    def resting(self) -> bool:
        """Nothing has been said yet, or there is a pause."""
        return self._tap.resting

    def turn(self, due: float) -> None:
        """Say what is to be said up to this instant on the grid. Raises MediaError when the network
        has refused several packets in a row."""
        interval = self.interval
        at = due if self._at is None else self._at
        while at < due + interval / 2 and (frame := self._tap.take()) is not None:
            self._talker.say(frame, at)
            at += interval
        late = round((due - at) / interval) + 1  # frames
        if late > 0 and (self._tap.resting or late * interval >= PATIENCE):
            self._talker.pause(late)
            self._tap.rest()
            at += late * interval
        self._at = at

    def end(self, *, now: float) -> None:
        """Say BYE; before it, what is left of a sound that has been played to its end."""
        at = now if self._at is None else self._at
        try:
            if self._ring.ended and not self._ring.fill:
                while (frame := self._tap.take()) is not None:
                    self._talker.say(frame, at)
                    at += self.interval
            self._talker.end(now=max(at, now))
        except MediaError:
            return  # then those who hear it find out by themselves
