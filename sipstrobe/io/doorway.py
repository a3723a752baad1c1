"""Listening TCP sockets that see by the first byte of each connection whether it speaks TLS.

Who speaks the wrong one of the two is not sent away but led elsewhere, which can tell him (PRB-01).
The handshakes of many that come at once begin one at each turn of the loop.
"""

import asyncio
import errno
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from sipstrobe.clock import Clock, Handle
from sipstrobe.io.addresses import site

logger = logging.getLogger(__name__)

BACKLOG: Final = 128
ACCEPTED_AT_ONCE: Final = 16  # connections at one turn of the loop
SILENT_MAX: Final = 256  # that have said nothing yet; the one that is silent for longest goes
SILENT_TIME: Final = 75.0  # seconds; browsers open connections that they may need
HANDSHAKES_MAX: Final = 128
HANDSHAKES_PER_ADDRESS_MAX: Final = 32
HANDSHAKE_TIME: Final = 10.0  # seconds
REST: Final = 1.0  # seconds without accepting when this process has no file left
PRIVILEGED: Final = 1024  # ports below are not for everybody, as Linux is shipped
_HANDSHAKE = 22  # RFC 8446 §5.1: the type of the first record
_NO_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

Factory = Callable[[], asyncio.Protocol]
Room = Callable[[str, int], bool]
"""Whether there is room for one more of this address (of IPv6: of this site), of which so many are
on the way in."""


def barred(error: OSError, port: int) -> str:
    """Why a port could not be opened, in words that say what helps."""
    words = error.strerror or str(error)
    if error.errno == errno.EACCES and port < PRIVILEGED:
        return f"{words}, since ports below {PRIVILEGED} need CAP_NET_BIND_SERVICE"
    return words


class Behind(Struct, frozen=True, kw_only=True):
    """Where connections lead. encrypted: with `tls`, of which there is none where nothing is."""

    plain: Factory
    encrypted: Factory | None = None
    tls: ssl.SSLContext | None = None


class Doorway:
    """The sockets of one address. What is behind can be changed while it is open."""

    def __init__(
        self, listening: list[socket.socket], behind: Behind, room: Room, clock: Clock
    ) -> None:
        self.behind = behind
        self._clock = clock
        self._room = room
        self._listening = listening
        self._loop = asyncio.get_running_loop()
        self._silent: dict[socket.socket, tuple[str, float]] = {}  # whose, until when; in order
        self._sweep: Handle | None = None
        self._resting: Handle | None = None
        self._entering: set[asyncio.Task[None]] = set()
        self._waiting: Counter[str] = Counter()  # by address: silent, or shaking hands
        self._shaking: Counter[str] = Counter()
        self._turn = asyncio.Lock()
        self.begun = 0
        """How many handshakes have begun."""
        self._watch()

    @classmethod
    async def open(
        cls, host: str, port: int, behind: Behind, room: Room, clock: Clock
    ) -> "Doorway":
        """Listen on all addresses of this name; port 0 takes a free one. Raises OSError."""
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listening: list[socket.socket] = []
        try:
            for family, address in dict.fromkeys((entry[0], entry[4]) for entry in found):
                listening.append(_listen(family, address))
        except BaseException:
            for one in listening:
                one.close()
            raise
        return cls(listening, behind, room, clock)

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [one.getsockname()[:2] for one in self._listening]

    @property
    def handshakes(self) -> int:
        """How many are under way."""
        return self._shaking.total()

    def close(self) -> None:
        """Listen no more; who is on the way in is cut off, who is inside is not."""
        for one in self._listening:
            self._loop.remove_reader(one)
            one.close()
        self._listening.clear()
        for connection in list(self._silent):
            self._drop(connection)
        for timer in (self._sweep, self._resting):
            if timer is not None:
                timer.cancel()
        for task in self._entering:
            task.cancel()

    # --- in the order of what happens to a connection -------------------------------------------

    def _watch(self) -> None:
        for one in self._listening:
            self._loop.add_reader(one, self._accept, one)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                connection, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _NO_FILES:
                    raise
                self._rest(error)
                return
            self._expect(connection, site(str(address[0])))

    def _expect(self, connection: socket.socket, address: str) -> None:
        if not self._room(address, self._waiting[address]):
            connection.close()
            return
        connection.setblocking(False)
        if len(self._silent) >= SILENT_MAX:
            self._drop(next(iter(self._silent)))
        self._waiting[address] += 1
        self._silent[connection] = address, self._clock.now() + SILENT_TIME
        self._loop.add_reader(connection, self._look, connection, address)
        if self._sweep is None:
            self._sweep = self._clock.call_at(self._clock.now() + SILENT_TIME, self._drop_silent)

    def _look(self, connection: socket.socket, address: str) -> None:
        """It has said something: see which of the two it speaks, and leave that unread."""
        try:
            first = connection.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            first = b""
        encrypted = first[:1] == bytes((_HANDSHAKE,))
        many = encrypted and (
            self._shaking.total() >= HANDSHAKES_MAX
            or self._shaking[address] >= HANDSHAKES_PER_ADDRESS_MAX
        )
        if not first or many or (encrypted and self.behind.tls is None):
            self._drop(connection)
            return
        self._speaks(connection)
        work = self._encrypted(connection, address) if encrypted else self._plain(connection)
        task = self._loop.create_task(work)
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)

    async def _plain(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self.behind.plain, connection)
        except BaseException as error:
            connection.close()
            if not isinstance(error, OSError):
                raise

    async def _encrypted(self, connection: socket.socket, address: str) -> None:
        behind = self.behind
        assert behind.encrypted is not None
        self._waiting[address] += 1
        self._shaking[address] += 1
        try:
            async with self._turn:
                await asyncio.sleep(0)
            self.begun += 1
            await self._loop.connect_accepted_socket(
                behind.encrypted,
                connection,
                ssl=behind.tls,
                ssl_handshake_timeout=HANDSHAKE_TIME,
            )
        except OSError as error:  # of which those of TLS are a kind
            logger.debug("no TLS with %s: %s", address, error)
            connection.close()
        except BaseException:
            connection.close()
            raise
        finally:
            _take(self._waiting, address)
            _take(self._shaking, address)

    # --- limits ---------------------------------------------------------------------------------

    def _speaks(self, connection: socket.socket) -> None:
        self._loop.remove_reader(connection)
        address, _ = self._silent.pop(connection)
        _take(self._waiting, address)

    def _drop(self, connection: socket.socket) -> None:
        self._speaks(connection)
        connection.close()

    def _drop_silent(self) -> None:
        self._sweep = None
        now = self._clock.now()
        for connection, (_, until) in list(self._silent.items()):
            if until > now:
                self._sweep = self._clock.call_at(until, self._drop_silent)
                return
            self._drop(connection)

    def _rest(self, error: OSError) -> None:
        logger.warning("nobody can be let in: %s; again in %g s", error.strerror, REST)
        for one in self._listening:
            self._loop.remove_reader(one)
        if self._resting is not None:
            self._resting.cancel()
        self._resting = self._clock.call_at(self._clock.now() + REST, self._watch)


def _take(counter: Counter[str], address: str) -> None:
    counter[address] -= 1
    if not counter[address]:
        del counter[address]


def _listen(family: int, address: tuple[object, ...]) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.setblocking(False)
        one.bind(address)
        one.listen(BACKLOG)
    except BaseException:
        one.close()
        raise
    return one
