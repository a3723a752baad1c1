"""One clip that is said to a multicast group."""

from collections.abc import Callable

import numpy as np

from sipstrobe.audio.format import Samples
from sipstrobe.errors import MediaError
from sipstrobe.lightsiren.sound import Playable, SirenSource
from sipstrobe.services.frame_talker import FrameTalker
from sipstrobe.services.talker import Group


class ClipPage:
    """Says a clip frame by frame, once or round and round; each turn is one frame of a grid."""

    def __init__(
        self,
        sound: Playable,
        rounds: int | None,
        group: Group,
        codec: str,
        random_bytes: Callable[[int], bytes],
        *,
        ntp_offset: float,
        now: float,
    ) -> None:
        """rounds: how often; None: without end. All else as for `Talker`. Raises MediaError where
        the clip has no sound."""
        self._source = SirenSource(sound)
        self._talker = FrameTalker(group, codec, None, random_bytes, ntp_offset=ntp_offset, now=now)
        self._frame = self._talker.frame_samples
        self._sound = None if rounds is None else rounds * sound.open().period_samples
        self._left = self._sound  # samples that are still to be said, with what the filter holds
        if self._left is not None:
            self._left += self._talker.delay_samples
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

    def turn(self, due: float) -> bool:
        """Say the frame of this instant on the grid; False: all has been said before it. Turns that
        were left out are a pause. Raises MediaError when the network has refused several packets
        in a row."""
        if self._at is not None and (missed := round((due - self._at) / self.interval)) > 0:
            self._talker.pause(missed)
        self._at = due
        if self._left is not None and self._left <= 0:
            return False
        self._talker.say(self._next(), due)
        self._at += self.interval
        return True

    def end(self, *, now: float) -> None:
        """Say BYE, if anything was said."""
        try:
            self._talker.end(now=now if self._at is None else max(self._at, now))
        except MediaError:
            return  # then those who hear it find out by themselves

    def _next(self) -> Samples:
        count = self._frame
        if self._sound is not None and self._left is not None:
            there = min(count, self._sound)
            self._sound -= there
            self._left -= count
            frame = self._source.next(there) if there else np.zeros(0, np.float32)
            return np.pad(frame, (0, count - there))
        return self._source.next(count)
