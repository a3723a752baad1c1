"""Whether another host is there (ICMP echo, RFC 792, RFC 4443) and takes what is sent to a port."""

import asyncio
import os
import socket
import struct
import time
from collections.abc import Sequence
from typing import Final, Literal, cast

from msgspec import Struct

from sipstrobe.errors import MediaError

NAME_LIMIT: Final = 3.0  # seconds for a name
ANSWER_LIMIT: Final = 2.0  # seconds for each answer
CONNECT_LIMIT: Final = 3.0
PINGS: Final = 4
_SPACING: Final = 0.2  # seconds between two
_ECHO: Final = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}  # request, reply
_FILTER: Final = {  # level, option, and its words, a bit for each type: raw(7), icmp6_filter
    socket.AF_INET: (255, 1, 1),
    socket.AF_INET6: (socket.IPPROTO_ICMPV6, 1, 8),
}
_HEAD: Final = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence number
_PAYLOAD: Final = b"sipstrobe reach " * 3


class Unreachable(MediaError):
    """It could not even be tried; the message says why."""


class Pinged(Struct, frozen=True):
    """milliseconds: of each answer, in their order."""

    address: str
    sent: int
    received: int
    milliseconds: Sequence[float]
    words: str


class Checked(Struct, frozen=True):
    """What became of one attempt. state: silent: nothing came back, which of UDP says little."""

    address: str
    state: Literal["open", "closed", "silent", "unreachable"]
    milliseconds: float | None
    words: str


async def ping(host: str, number: int = PINGS) -> Pinged:
    """Ask a host for so many signs of life. Raises Unreachable."""
    family, address = await _address(host, 0)
    line = _icmp(family)
    found: list[float] = []
    try:
        for sequence in range(1, number + 1):
            try:
                found.append(round(await _echo(line, family, address, sequence) * 1000, 3))
            except TimeoutError:
                continue
            except OSError as error:
                raise Unreachable(f"{address[0]}: {_in_words(error)}") from None
            await asyncio.sleep(_SPACING)
    finally:
        line.close()
    words = "It answers." if found else "It does not answer. Firewalls may keep it from that."
    if 0 < len(found) < number:
        words = f"It answers {len(found)} of {number} times."
    return Pinged(str(address[0]), number, len(found), found, words)


async def check_port(host: str, port: int, transport: Literal["tcp", "udp"]) -> Checked:
    """Whether somebody takes what is sent there. Raises Unreachable for a name without address."""
    kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
    family, address = await _address(host, port)
    line = socket.socket(family, kind)
    line.setblocking(False)
    began = time.monotonic()
    try:
        attempt = _connect if transport == "tcp" else _ask
        words = await attempt(line, address)
    except TimeoutError:
        if transport == "tcp":
            words = f"Nothing comes back within {CONNECT_LIMIT:g} s: a firewall, or nobody."
        else:
            words = "Nothing came back, which is usual with UDP: it may be open or filtered."
        return Checked(str(address[0]), "silent", None, words)
    except ConnectionRefusedError:
        return Checked(str(address[0]), "closed", _since(began), "There is nobody at this port.")
    except OSError as error:
        return Checked(str(address[0]), "unreachable", None, _in_words(error))
    finally:
        line.close()
    return Checked(str(address[0]), "open", _since(began), words)


async def _connect(line: socket.socket, address: tuple[str | int, ...]) -> str:
    async with asyncio.timeout(CONNECT_LIMIT):
        await asyncio.get_running_loop().sock_connect(line, address)
    return "It takes connections."


async def _ask(line: socket.socket, address: tuple[str | int, ...]) -> str:
    loop = asyncio.get_running_loop()
    await loop.sock_connect(line, address)
    async with asyncio.timeout(ANSWER_LIMIT):
        await loop.sock_sendall(line, b"\r\n\r\n")  # to a SIP port a keep-alive: RFC 5626 §3.5.1
        await loop.sock_recv(line, 2048)
    return "It answers."


async def _echo(
    line: socket.socket,
    family: socket.AddressFamily,
    address: tuple[str | int, ...],
    sequence: int,
) -> float:
    """Seconds until the answer. Raises TimeoutError, OSError."""
    loop = asyncio.get_running_loop()
    request, reply = _ECHO[family]
    mine = os.getpid() & 0xFFFF
    blank = _HEAD.pack(request, 0, 0, mine, sequence) + _PAYLOAD
    packet = _HEAD.pack(request, 0, _checksum(blank), mine, sequence) + _PAYLOAD
    began = time.monotonic()
    await loop.sock_sendto(line, packet, address)
    async with asyncio.timeout(ANSWER_LIMIT):
        while True:
            data = await loop.sock_recv(line, 2048)
            if family == socket.AF_INET and line.type == socket.SOCK_RAW and data:
                data = data[(data[0] & 15) * 4 :]  # behind the IP header
            if len(data) < _HEAD.size or not data.endswith(_PAYLOAD):
                continue
            kind, _, _, _, number = _HEAD.unpack_from(data)
            if (kind, number) == (reply, sequence):
                return time.monotonic() - began


def _icmp(family: socket.AddressFamily) -> socket.socket:
    """A socket for echoes alone (ping_group_range), or one for which more rights are needed."""
    protocol = socket.IPPROTO_ICMP if family == socket.AF_INET else socket.IPPROTO_ICMPV6
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            line = socket.socket(family, kind, protocol)
        except PermissionError:
            continue
        except OSError as error:
            raise Unreachable(_in_words(error)) from None
        line.setblocking(False)
        if kind == socket.SOCK_RAW:
            _hear_replies_only(line, family)
        return line
    words = "this system lets us send no echo: see net.ipv4.ping_group_range"
    raise Unreachable(words)


def _hear_replies_only(line: socket.socket, family: socket.AddressFamily) -> None:
    """Such a socket is given all that the machine hears of ICMP, in which a reply would drown."""
    level, option, words = _FILTER[family]
    _, reply = _ECHO[family]
    refused = (1 << 32 * words) - 1 - (1 << reply)
    masks = [refused >> 32 * n & 0xFFFFFFFF for n in range(words)]
    line.setsockopt(level, option, struct.pack(f"={words}I", *masks))


async def _address(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str | int, ...]]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(NAME_LIMIT):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except TimeoutError:
        raise Unreachable(f"the name servers do not answer within {NAME_LIMIT:g} s") from None
    except (OSError, UnicodeError):
        raise Unreachable(f"there is no address for {host[:64]!r}") from None
    family, _, _, _, address = found[0]
    return family, cast("tuple[str | int, ...]", address)


def _since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 3)


def _in_words(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
