"""What is said to a multicast group frame by frame, out of sound at the device's own rate."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sipstrobe.audio.format import SAMPLE_RATE, Samples, samples_in
from sipstrobe.audio.resample import Downsampler
from sipstrobe.errors import MediaError
from sipstrobe.services.talker import Group, Talker

if TYPE_CHECKING:
    from sipstrobe.rtp.group_srtp import GroupSrtp

FAILURES: Final = 5  # packets in a row that the network has not taken


class FrameTalker:
    """A `Talker` that takes 48 kHz, and some packets that the network refuses."""

    def __init__(
        self,
        group: Group,
        codec: str,
        srtp: "GroupSrtp | None",
        random_bytes: Callable[[int], bytes],
        *,
        ntp_offset: float,
        now: float,
    ) -> None:
        """As for `Talker`."""
        self._talker = Talker(group, codec, srtp, random_bytes, ntp_offset=ntp_offset, now=now)
        self._downsampler: Downsampler | None = None
        if self._talker.sample_rate != SAMPLE_RATE:
            self._downsampler = Downsampler(SAMPLE_RATE // self._talker.sample_rate)
        self._failures = 0  # since a frame was said
        self.began_at: float | None = None  # the first turn at which anything was said

    @property
    def interval(self) -> float:
        """Seconds from one frame to the next."""
        return self._talker.frame_seconds

    @property
    def frame_samples(self) -> int:
        """Of one frame, at 48 kHz."""
        return samples_in(self._talker.frame_seconds)

    @property
    def delay_samples(self) -> int:
        """How much of the sound is still in the filter when its last frame has been said."""
        return 0 if self._downsampler is None else self._downsampler.delay_samples

    @property
    def packets(self) -> int:
        return self._talker.packets

    @property
    def ssrc(self) -> int:
        return self._talker.ssrc

    def say(self, frame: Samples, at: float) -> None:
        """Raises MediaError when the network has refused several packets in a row."""
        if self._downsampler is not None:
            frame = self._downsampler.process(frame)
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

    def pause(self, frames: int) -> None:
        """Leave out so many frames."""
        self._talker.pause(frames)

    def end(self, *, now: float) -> None:
        """Say BYE, if anything was said. Raises MediaError."""
        self._talker.end(now=now)
