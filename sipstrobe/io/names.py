"""Names of hosts: the hosts file, the name servers (dnspython), then what else the system knows.

Answers are kept for as long as they say, those that say no as well. dnspython is imported, beside
the loop, when the first name is asked for.
"""

import asyncio
import contextlib
import ipaddress
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from msgspec import Struct

from sipstrobe.io.udp import Address, endpoint_of

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver
    from dns.message import QueryMessage
    from dns.rdata import Rdata

Kind = Literal["A", "AAAA", "SRV", "NAPTR"]
Row = tuple[str, ...]  # the fields of a record in its presentation format; names without last dot
Server = tuple[str, int]  # numeric host, port

QUESTION_LIMIT = 1.5  # seconds for one question to all name servers, so that three fit in five
LONGEST_LIFE = 86400.0  # seconds; an answer is not kept longer, whatever it says
LONGEST_DENIAL = 900.0  # the same for "there is none"; RFC 2308 §5 asks for a limit
SILENCE_LIFE = 10.0  # seconds until name servers that were silent are asked the same again
MAX_ANSWERS = 1024  # kept at once: four for each of many domains
MAX_QUESTIONS = 256  # open at once
MAX_HOSTS_BYTES = 1 << 20
MAX_TEXTS = 1024  # of which it is remembered whether they are addresses
HOSTS = Path("/etc/hosts")
CONFIGURATION = Path("/etc/resolv.conf")
_FIELD = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')


class _Answer(Struct, frozen=True):
    rows: tuple[Row, ...]
    until: float  # monotonic seconds
    problem: str = ""  # nobody has answered


class Names:
    """What names stand for. Everything asked of it ends within a few seconds."""

    def __init__(
        self,
        limit: int,
        *,
        servers: Iterable[Server] | None = None,
        hosts: Path = HOSTS,
        configuration: Path = CONFIGURATION,
        max_answers: int = MAX_ANSWERS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """limit: names at once whose addresses are looked up.

        servers: who is asked, and nobody else, instead of the name servers of the system.
        """
        self._limit = limit
        self._servers = None if servers is None else list(servers)
        self._hosts = _HostsFile(hosts)
        self._configuration = configuration
        self._max_answers = max_answers
        self._now = now
        self._wanted = 0
        self._threads = 0  # those that have no answer yet, whether anybody still wants it or not
        self._answers: dict[tuple[str, Kind], _Answer] = {}
        self._asking: dict[tuple[str, Kind], asyncio.Task[_Answer]] = {}
        self._resolver: Resolver | None = None

    def forget(self) -> None:
        """Another network may have other name servers and other answers."""
        self._answers.clear()
        self._resolver = None

    async def addresses(self, host: str, *, prefer_ipv6: bool = False) -> tuple[str, ...]:
        """All addresses of a host (RFC 3263 §4.2), at least one, those of the preferred kind first.

        A numeric host is its own, as the kernel spells it (RFC 5952). Raises OSError, with words
        for a person.
        """
        if is_numeric(host):
            return (str(ipaddress.ip_address(host)),)
        if self._wanted >= self._limit:
            raise OSError("too many names are being looked up")
        self._wanted += 1
        try:
            return await self._addresses(host, prefer_ipv6)
        finally:
            self._wanted -= 1

    async def is_local(self, host: str) -> bool:
        """Whether the host is numeric or in the hosts file: no name server knows it better."""
        return is_numeric(host) or bool(await self._hosts.addresses(host))

    async def records(self, name: str, kind: Kind) -> tuple[Row, ...]:
        """What the name servers say; () when they say that there is none.

        Raises OSError when none of them answers.
        """
        answer = await self._ask(name.lower(), kind)
        if answer.problem:
            raise OSError(answer.problem)
        return answer.rows

    # --- addresses ------------------------------------------------------------------------------

    async def _addresses(self, host: str, prefer_ipv6: bool) -> tuple[str, ...]:
        if not _can_be_a_name(host):
            raise OSError(f"{host!r} can be no host name")
        found = await self._hosts.addresses(host)
        if not found:
            answers = await asyncio.gather(self._ask(host, "A"), self._ask(host, "AAAA"))
            found = tuple(row[0] for answer in answers for row in answer.rows)
        if not found and self._servers is None:
            found = await self._ask_the_system(host)
        if not found:
            raise OSError(f"the name {host} is not known")
        return tuple(sorted(found, key=lambda address: (":" in address) is not prefer_ipv6))

    async def _ask_the_system(self, host: str) -> tuple[str, ...]:
        """Search lists, multicast DNS and whatever else there is, in a thread.

        A thread that waits for a silent name server cannot be stopped, and the threads of the
        loop's own pool are waited for at the end: these are not, and hold up neither files nor
        the shutdown.
        """
        if self._threads >= self._limit:
            raise OSError("too many names are being looked up")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[str, ...] | OSError] = loop.create_future()

        def settle(found: tuple[str, ...] | OSError) -> None:
            self._threads -= 1
            if not answer.done():
                answer.set_result(found)

        def look_up() -> None:
            found = _look_up(host)
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(settle, found)

        threading.Thread(target=look_up, daemon=True).start()
        self._threads += 1
        found = await answer
        if isinstance(found, OSError):
            raise found
        return found

    # --- name servers ---------------------------------------------------------------------------

    async def _ask(self, name: str, kind: Kind) -> _Answer:
        """One question, which several may wait for; who no longer does takes it from nobody."""
        key = (name, kind)
        known = self._answers.get(key)
        if known is not None and self._now() < known.until:
            return known
        task = self._asking.get(key)
        if task is None:
            if len(self._asking) >= MAX_QUESTIONS:
                return _Answer((), 0.0, "too many names are being looked up")
            task = asyncio.get_running_loop().create_task(self._answer(name, kind))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(task)

    async def _answer(self, name: str, kind: Kind) -> _Answer:
        resolver = self._resolver
        if resolver is None:
            resolver = self._resolver = await asyncio.to_thread(
                _make_resolver, self._servers, self._configuration
            )
        rows, life, problem = await _resolve(resolver, name, kind)
        answer = _Answer(rows, self._now() + life, problem)
        if len(self._answers) >= self._max_answers:
            self._make_room()
        self._answers[name, kind] = answer
        return answer

    def _make_room(self) -> None:
        now = self._now()
        lasting = {key: a for key, a in self._answers.items() if now < a.until}
        self._answers = lasting if len(lasting) < self._max_answers else {}


class _HostsFile:
    """The addresses that this machine's owner has given names to (hosts(5))."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at: tuple[int, int] | None = None  # its inode and time of change
        self._names: dict[str, tuple[str, ...]] = {}

    async def addresses(self, host: str) -> tuple[str, ...]:
        try:
            stat = os.stat(self._path)
        except OSError:
            return ()
        version = (stat.st_ino, stat.st_mtime_ns)
        if version != self._read_at:
            self._names = await asyncio.to_thread(self._read)
            self._read_at = version
        return self._names.get(host.lower().rstrip("."), ())

    def _read(self) -> dict[str, tuple[str, ...]]:
        try:
            with self._path.open(encoding="utf-8", errors="replace") as file:
                text = file.read(MAX_HOSTS_BYTES)
        except OSError:
            return {}
        names: dict[str, tuple[str, ...]] = {}
        for line in text.splitlines():
            address, *given = line.partition("#")[0].split() or [""]
            if is_numeric(address) and "%" not in address:  # links have names there: ask the system
                known = str(ipaddress.ip_address(address))
                for name in given:
                    names[name.lower()] = (*names.get(name.lower(), ()), known)
        return names


@lru_cache(MAX_TEXTS)
def is_numeric(host: str) -> bool:
    """Whether it is an address already (IPv6 without brackets)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _can_be_a_name(host: str) -> bool:
    labels = host.rstrip(".").split(".")
    return len(host) <= 253 and all(
        0 < len(x) <= 63 and x.isascii() and "\0" not in x for x in labels
    )


def _look_up(host: str) -> tuple[str, ...] | OSError:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except OSError:
        return OSError(f"the name {host} is not known")
    except ValueError:
        return OSError(f"{host!r} can be no host name")
    return tuple(dict.fromkeys(endpoint_of(cast("Address", entry[4]))[0] for entry in found))


def _make_resolver(servers: list[Server] | None, configuration: Path) -> "Resolver":
    """Imports the library; to be called beside the loop."""
    import dns.asyncbackend
    import dns.asyncresolver
    import dns.exception
    import dns.nameserver

    dns.asyncbackend.get_backend("asyncio")
    try:
        resolver = dns.asyncresolver.Resolver(str(configuration), configure=servers is None)
    except (dns.exception.DNSException, ValueError):  # no resolv.conf, or nonsense: nobody to ask
        resolver = dns.asyncresolver.Resolver(configure=False)
        servers = []
    if servers is not None:
        resolver.nameservers = [dns.nameserver.Do53Nameserver(*server) for server in servers]
    resolver.timeout = QUESTION_LIMIT / 2  # so that a lost packet or a dead server costs no answer
    return resolver


async def _resolve(
    resolver: "Resolver", name: str, kind: Kind
) -> tuple[tuple[Row, ...], float, str]:
    """The records, the seconds that they live, and why nobody has answered."""
    import dns.exception
    import dns.resolver

    try:
        found = await resolver.resolve(
            f"{name.rstrip('.')}.", kind, lifetime=QUESTION_LIMIT, raise_on_no_answer=False
        )
    except dns.resolver.NXDOMAIN as denial:
        responses = cast("dict[object, QueryMessage]", denial.responses())
        return (), min(map(_denial_life, responses.values())), ""
    except (dns.exception.DNSException, OSError, UnicodeError):
        return (), SILENCE_LIFE, f"no name server has an answer for {name}"
    if found.rrset is None:
        return (), _denial_life(found.response), ""
    life = min(float(found.chaining_result.minimum_ttl), LONGEST_LIFE)
    records = cast("Iterable[Rdata]", found.rrset)
    return tuple(_row(record.to_text()) for record in records), life, ""


def _denial_life(response: "QueryMessage") -> float:
    """RFC 2308 §5: as its SOA record says."""
    return min(float(response.resolve_chaining().minimum_ttl), LONGEST_DENIAL)


def _row(text: str) -> Row:
    """Fields of a record; strings lose their quotes, names the last dot."""
    return tuple(
        field.strip('"') if '"' in field else field.rstrip(".") for field in _FIELD.findall(text)
    )
