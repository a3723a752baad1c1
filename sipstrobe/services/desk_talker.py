"""One who pages desk phones: sound into the packets of a channel (multicast/group_paging)."""

from collections.abc import Callable
from typing import Final

from sipstrobe.audio.format import Samples
from sipstrobe.codecs.registry import CODECS
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.multicast import group_paging
from sipstrobe.multicast.group_paging import OpCode, Packet, Page

FRAME_MS: Final = 30  # of new sound in a packet, as phones have it


class DeskTalker:
    """One page. Alerts come before what is said, and several ends after it."""

    frame_seconds = FRAME_MS / 1000

    def __init__(
        self,
        send: Callable[[bytes], None],
        codec: str,
        channel: int,
        caller_id: str,
        serial_number: int,
    ) -> None:
        """codec: one of group_paging.CODECS. serial_number: no phone may have the same."""
        used = CODECS[codec]
        number = next(n for n, name in group_paging.CODECS.items() if name == codec)
        self.sample_rate = used.sample_rate
        self.frame_samples = used.sample_rate * FRAME_MS // 1000  # that `say` takes
        self.packets = 0  # of sound
        self.ends = 0  # how often it has been ended
        self._frame_bytes = used.clock_rate * FRAME_MS // 1000
        self._encoder = used.encoder("")
        self._send = send
        self._whose = (channel, serial_number)
        self._page = Page(channel, serial_number, caller_id, number)

    def alert(self) -> None:
        """Say that sound is about to come."""
        self._send(self._page.alert())

    def rival(self, data: bytes) -> Packet | None:
        """Whether a datagram is of somebody who has the channel before one who only alerts so far:
        who speaks already, or alerts with a lower serial number."""
        try:
            packet = group_paging.parse(data)
        except RemoteProtocolError:
            return None
        channel, own = self._whose
        if packet.channel != channel or packet.serial_number == own:
            return None
        speaks = packet.op is OpCode.TRANSMIT
        alerts = packet.op is OpCode.ALERT and packet.serial_number < own
        return packet if speaks or alerts else None

    def say(self, samples: Samples, *, now: float) -> None:
        """Send a frame of sound at the codec's rate."""
        self._send(self._page.transmit(self._encoder.encode(samples)))
        self.packets += 1

    def pause(self, frames: int) -> None:
        """There is nothing to say for so long."""
        self._page.pause(frames * self._frame_bytes)

    def end(self, *, now: float) -> None:
        """Say that no more sound comes."""
        self.ends += 1
        self._send(self._page.end())
