"""One who speaks to a multicast group: sound into RTP packets, with reports and a farewell."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from sipstrobe.audio.format import Samples
from sipstrobe.codecs.registry import CODECS
from sipstrobe.rtp.session import SendRtcp, Session
from sipstrobe.sdp.formats import SOUNDS

if TYPE_CHECKING:
    from sipstrobe.rtp.group_srtp import GroupSrtp

PTIME_MS: Final = 20  # of sound in a packet, where no network has to cut it in two


class Group(Protocol):
    """Where it goes."""

    rtcp: tuple[str, int]

    def send(self, data: bytes) -> None: ...

    def send_rtcp(self, data: bytes) -> None: ...


class Talker:
    """One page. Its SSRC, first sequence number and first timestamp are drawn (RFC 3550 §5.1)."""

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
        """codec: one of SOUNDS. ntp_offset: what to add to `now` for seconds since 1900."""
        used, sound = CODECS[codec], SOUNDS[codec]
        ptime_ms = PTIME_MS if PTIME_MS in sound.ptimes_ms else sound.ptimes_ms[0]
        self.sample_rate = used.sample_rate
        self.frame_samples = used.sample_rate * ptime_ms // 1000  # that `say` takes
        self.frame_seconds = ptime_ms / 1000
        self._units = used.clock_rate * ptime_ms // 1000
        self._payload_type = sound.offered.payload_type
        self._encoder = used.encoder("")
        self._group = group
        self._srtp = srtp
        cname = random_bytes(12).hex()  # RFC 7022 §4.2: for one session only
        self._session = Session(cname, used.clock_rate, random_bytes, ntp_offset=ntp_offset)
        self._session.configure(None, group.rtcp, (), now=now)
        self._resumes = True  # a talkspurt begins with the next packet

    @property
    def packets(self) -> int:
        return self._session.packets_sent

    @property
    def ssrc(self) -> int:
        return self._session.ssrc

    def say(self, samples: Samples, *, now: float) -> None:
        """Send a frame of sound at the codec's rate. now: when it begins, on a grid without
        jitter, which reports put beside the calendar's time."""
        session = self._session
        if session.packets_sent:
            session.wake(now=now)
        else:
            session.announce(now=now)
        self._report()
        payload = self._encoder.encode(samples)
        packet = session.packet(self._payload_type, payload, self._units, self._resumes)
        self._group.send(packet if self._srtp is None else self._srtp.protect(packet))
        self._resumes = False

    def pause(self, frames: int) -> None:
        """There is nothing to say for so long."""
        self._session.pause(frames * self._units)
        self._resumes = True

    def end(self, *, now: float) -> None:
        """Say BYE, if anything was said. now: when the last frame has ended."""
        self._session.close(now=now)
        self._report()

    def _report(self) -> None:
        outbox = self._session.outbox
        while outbox:
            item = outbox.popleft()
            if isinstance(item, SendRtcp):
                sealed = item.data if self._srtp is None else self._srtp.protect_rtcp(item.data)
                self._group.send_rtcp(sealed)
