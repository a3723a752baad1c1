"""A peer that does ICE word for word, as much of it as a story wants, and servers on loopback."""

import asyncio
from collections.abc import Callable
from typing import cast

from sipstrobe.nat.stun import (
    Address,
    Attr,
    Class,
    Message,
    Method,
    build,
    is_stun,
    parse,
    xor_address,
)
from tests.nat.turn_server import Server
from tests.services.phones import HOST, Peer


class IcePeer(Peer):
    """Answers checks on its RTP socket while it `answers`, and notes what comes."""

    def __init__(self, ufrag: str = "them") -> None:
        super().__init__()
        self.ufrag, self.pwd = ufrag, ufrag[0] * 22
        self.answers = True
        self.checks: list[Message] = []
        self.media: list[bytes] = []
        self.media_port: int = self.rtp.getsockname()[1]
        asyncio.get_running_loop().add_reader(self.rtp, self._read)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.rtp)
        super().close()

    def ice(self, *attributes: str, candidates: bool = True) -> bytes:
        """What it says in SDP."""
        candidate = f"candidate:1 1 udp 2130706431 {HOST} {self.media_port} typ host"
        words = (f"ice-ufrag:{self.ufrag}", f"ice-pwd:{self.pwd}")
        return self.sdp(*words, *([candidate] if candidates else []), "rtcp-mux", *attributes)

    def begin_anew(self, ufrag: str) -> None:
        self.ufrag, self.pwd = ufrag, ufrag[0] * 22

    def check(self, port: int, ufrag: str, pwd: str, *attributes: tuple[int, bytes]) -> None:
        """Check a port of the other side."""
        said = [
            (Attr.USERNAME, f"{ufrag}:{self.ufrag}".encode()),
            (Attr.PRIORITY, b"\x6e\0\1\xff"),
            (Attr.ICE_CONTROLLING, bytes(8)),
            *attributes,
        ]
        data = build(
            Method.BINDING, Class.REQUEST, bytes(12), said, key=pwd.encode(), fingerprint=True
        )
        self.rtp.sendto(data, (HOST, port))

    def _read(self) -> None:
        data, source = self.rtp.recvfrom(2048)
        if not is_stun(data):
            self.media.append(data)
            return
        message = parse(data)
        if message.kind is not Class.REQUEST:
            return
        self.checks.append(message)
        if self.answers:
            attributes = [
                (Attr.XOR_MAPPED_ADDRESS, xor_address(source[:2], message.transaction_id))
            ]
            key = self.pwd.encode()
            answer = build(
                Method.BINDING,
                Class.SUCCESS,
                message.transaction_id,
                attributes,
                key=key,
                fingerprint=True,
            )
            self.rtp.sendto(answer, source)


class Servers(asyncio.DatagramProtocol):
    """A STUN and TURN server on loopback. It says of everybody what `sees` makes of an address."""

    def __init__(self) -> None:
        self.turn = Server()
        self.sees: Callable[[Address], Address] = lambda address: ("203.0.113.9", address[1] + 1000)
        self.silent = False
        self.asked = 0
        self.relayed: list[bytes] = []  # ChannelData that has come
        self.clients: list[Address] = []

    @classmethod
    async def open(cls) -> "Servers":
        _, made = await asyncio.get_running_loop().create_datagram_endpoint(
            cls, local_addr=(HOST, 0)
        )
        return made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    @property
    def address(self) -> str:
        return f"{HOST}:{self.transport.get_extra_info('sockname')[1]}"

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.asked += 1
        if addr not in self.clients:
            self.clients.append(addr)
        if self.silent:
            return
        if data[0] >> 4 == 4:
            self.relayed.append(data)
            return
        message = parse(data)
        if message.method == Method.BINDING:
            key = message.transaction_id
            attributes = [(Attr.XOR_MAPPED_ADDRESS, xor_address(self.sees(addr), key))]
            self.transport.sendto(build(Method.BINDING, Class.SUCCESS, key, attributes), addr)
        elif (answer := self.turn.take(data)) is not None:
            self.transport.sendto(answer, addr)

    def relay(self, data: bytes, channel: int, to: Address) -> None:
        """A peer with this channel has sent something to the relay."""
        frame = channel.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data
        self.transport.sendto(frame, to)
