"""Text over TCP (RCP-11): a connection for each message, which is sent once it is acknowledged."""

import asyncio
import fcntl
import socket
import termios
from typing import Final

from sipstrobe.sending.failure import SendFailed
from sipstrobe.sending.message import TextMessage
from sipstrobe.sending.settings import TcpRecipient
from sipstrobe.services.senders.thread import addresses
from sipstrobe.services.senders.words import failure_of

CONNECT_LIMIT: Final = 10.0  # seconds
ACKNOWLEDGE_LIMIT: Final = 15.0
SOONEST_LOOK: Final = 0.001  # seconds after which is looked again; then twice as long
LATEST_LOOK: Final = 0.1


class TcpSender:
    """See above. What the receiver says is not read."""

    async def send(self, recipient: TcpRecipient, message: TextMessage, /) -> None:
        host, port = recipient.host, recipient.port
        try:
            async with asyncio.timeout(CONNECT_LIMIT):
                reader, writer = await _connected(host, port)
        except OSError as error:
            raise failure_of(error, host, port) from None
        try:
            async with asyncio.timeout(ACKNOWLEDGE_LIMIT):
                writer.write(message.text.encode())
                await writer.drain()
                await _acknowledged(reader, writer)
        except TimeoutError:
            raise SendFailed(f"{host}:{port} does not take what is sent") from None
        except OSError as error:
            raise failure_of(error, host, port) from None
        finally:
            writer.transport.abort() if reader.exception() else writer.close()


async def _connected(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """By the first address that somebody is at. Raises OSError."""
    failure = OSError("no address")
    for _, address in await addresses(host, port):
        try:
            return await asyncio.open_connection(address, port, limit=1024)
        except OSError as error:
            failure = error
    raise failure


async def _acknowledged(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Wait until the other side's TCP has everything. Raises OSError when it breaks off."""
    sock: socket.socket = writer.get_extra_info("socket")
    writer.write_eof()
    look_after = SOONEST_LOOK
    while _outstanding(sock) or writer.transport.get_write_buffer_size():
        await asyncio.sleep(look_after)  # the kernel tells nobody
        look_after = min(2 * look_after, LATEST_LOOK)
    error = reader.exception()
    if isinstance(error, OSError):
        raise error


def _outstanding(sock: socket.socket) -> int:
    """Bytes that are not acknowledged yet (tcp(7), SIOCOUTQ)."""
    if sock.fileno() < 0:
        raise ConnectionResetError
    answer = fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(answer, "little")
