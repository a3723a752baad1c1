"""One channel of desk phones: from its packets to what is heard (multicast/group_paging)."""

from collections.abc import Callable
from typing import Any

from sipstrobe.codecs.registry import CODECS
from sipstrobe.context import Context
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.events import PageState
from sipstrobe.io.multicast import Group, GroupSockets
from sipstrobe.io.udp import Endpoint, Receive
from sipstrobe.multicast import group_paging
from sipstrobe.multicast.channel import ChannelStream
from sipstrobe.multicast.group_paging import OpCode
from sipstrobe.multicast.settings import DeskPhoneSource
from sipstrobe.services.page_sound import PageSound


class DeskPhoneStream:
    """Heard from the first sound on; light and rank already take part from the first Alert on."""

    def __init__(self, context: Context, source: DeskPhoneSource, rank: int) -> None:
        self.source = source
        self.problem = ""  # nothing keeps it from being heard
        self.invalid = 0  # datagrams that were no packets
        self.unknown = 0  # of codecs that are not understood
        self._channel = ChannelStream()
        self._sound = PageSound(context, source, rank, self._channel)

    @property
    def state(self) -> PageState:
        return self._sound.state

    @property
    def parted(self) -> bool:
        """False where the last to speak has stopped without saying so."""
        return self._sound.parted

    @property
    def missed(self) -> int:
        """Packets that were lost since then, where he speaks again."""
        return self._sound.missed

    def receive(self, data: bytes, source: Endpoint, received_at: float) -> None:
        """A datagram for the channel."""
        try:
            packet = group_paging.parse(data)
        except RemoteProtocolError:
            self.invalid += 1
            return
        name = group_paging.CODECS.get(packet.codec)
        if name is None or not CODECS[name].usable:
            if packet.op is OpCode.TRANSMIT:
                self.unknown += 1
                return
            name = "PCMU"
        frames = self._channel.receive(source, packet, now=received_at)
        sound, codec = self._sound, CODECS[name]
        sound.settle(received_at)
        for sequence, timestamp, payload in frames:
            sound.play(codec, packet.codec, sequence, timestamp, payload, received_at)
        sound.watch()

    def close(self) -> None:
        """Be silent from now on."""
        self._sound.close()

    def snapshot(self) -> dict[str, Any]:
        return self._sound.snapshot() | {
            "kind": "desk_phones",
            "channel": self.source.channel,
            "caller_id": self._channel.caller_id,
            "strangers": self._channel.strangers,
            "unknown_codec": self.unknown,
            "invalid": self.invalid,
        }


class _Receivers:
    """Who hears the channels of a group."""

    def __init__(self) -> None:
        self.by_channel: dict[int, Receive] = {}

    def receive(self, data: bytes, source: Endpoint, received_at: float) -> None:
        channel = group_paging.channel_of(data)
        receive = None if channel is None else self.by_channel.get(channel)
        if receive is not None:
            receive(data, source, received_at)


class Channels:
    """The groups of desk phones: each is joined once, however many of its channels are heard."""

    def __init__(self, sockets: GroupSockets) -> None:
        self._sockets = sockets
        self._groups: dict[Group, _Receivers] = {}
        self._leave: dict[Group, Callable[[], None]] = {}

    def join(self, group: Group, channel: int, receive: Receive) -> Callable[[], None]:
        """Hear a channel until the result is called. Raises OSError when the group cannot be
        joined."""
        receivers = self._groups.get(group)
        if receivers is None:
            receivers = _Receivers()
            self._leave[group] = self._sockets.join(group, receivers.receive)
            self._groups[group] = receivers
        receivers.by_channel[channel] = receive

        def leave() -> None:
            if receivers.by_channel.get(channel) is not receive:
                return
            del receivers.by_channel[channel]
            if not receivers.by_channel:
                del self._groups[group]
                self._leave.pop(group)()

        return leave
