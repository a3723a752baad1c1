"""One clip that is said to a multicast group."""

from collections.abc import Callable
from typing import Final

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples, samples_in
from sipstrobe.audio.resample import Downsampler
from sipstrobe.errors import MediaError
from sipstrobe.lightsiren.sound import Playable, SirenSource
from sipstrobe.services.talker import Group, Talker

FAILURES: Final = 5  # packets in a row that the network has not taken


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
        self._talker = Talker(group, codec, None, random_bytes, ntp_offset=ntp_offset, now=now)
        self._frame = samples_in(self._talker.frame_seconds)
        self._sound = None if rounds is None else rounds * sound.open().period_samples
        self._left = self._sound  # samples that are still to be said, with what the filter holds
        self._downsampler: Downsampler | None = None
        if self._talker.sample_rate != SAMPLE_RATE:
            self._downsampler = Downsampler(SAMPLE_RATE // self._talker.sample_rate)
            if self._left is not None:
                self._left += self._downsampler.delay_samples
        self._at: float | None = None  # when the next frame begins
        self._failures = 0  # since a frame was said
        self.began_at: float | None = None  # the first turn at which anything was said

    @property
    def interval(self) -> float:
        """Seconds from one turn to the next."""
        return self._talker.frame_seconds

    @property
    def packets(self) -> int:
        return self._talker.packets

    @property
    def ssrc(self) -> int:
        return self._talker.ssrc

    def turn(self, due: float) -> bool:
        """Say the frame of this instant on the grid; False: all has been said before it. Turns that
        were left out are a pause. Raises MediaError when the network has refused several packets
        in a row."""
        if self._at is not None and (missed := round((due - self._at) / self.interval)) > 0:
            self._talker.pause(missed)
        self._at = due
        if self._left is not None and self._left <= 0:
            return False
        self._say(self._next(), due)
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
            frame = np.pad(frame, (0, count - there))
        else:
            frame = self._source.next(count)
        return frame if self._downsampler is None else self._downsampler.process(frame)

    def _say(self, frame: Samples, at: float) -> None:
        before = self._talker.packets
        try:
            self._talker.say(frame, now=at)
        except MediaError:
            if self._talker.packets == before:  # it was the report before it
                self._talker.pause(1)
            self._failures += 1
            if self._failures >= FAILURES:
                raise
            return
        self._failures = 0
        if self.began_at is None:
            self.began_at = at
