"""What the web sees of the device as a system: its logs, its state folder, its machine.

Protocols, as in `views`; the app hands in what they stand for.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from sipstrobe.io.own_files import OwnFiles
from sipstrobe.secret import Secret

Wanted = Callable[[Any], bool]


class LogEntryView(Protocol):
    """One record of the log; at: seconds since 1970, severity: as syslog names it."""

    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> float: ...
    @property
    def severity(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def text(self) -> str: ...


class LogView(Protocol):
    """What the program says of itself."""

    def selection(self, severity: str, text: str) -> Wanted:
        """Records of this severity or worse with this text in them."""
        ...

    def entries(
        self, wanted: Wanted, limit: int, before: int | None = None
    ) -> Sequence[LogEntryView]:
        """The newest first."""
        ...

    @property
    def full(self) -> bool:
        """As many follow as may."""
        ...

    def follow(
        self, wanted: Wanted, after: int | None
    ) -> AsyncGenerator[Sequence[LogEntryView] | None]:
        """What comes after this seq (None: now); None first, and after nothing for long."""
        ...


class AccessView(Protocol):
    """Who was not let in."""

    def refusals(self, limit: int, before: int | None = None) -> list[dict[str, Any]]:
        """seq, at, event, address … of each, the newest first."""
        ...


class FlowView(Protocol):
    """One way between us and a peer."""

    @property
    def transport(self) -> str: ...
    @property
    def local(self) -> object: ...
    @property
    def remote(self) -> object: ...


class SaidView(Protocol):
    """One SIP message, as it went over the wire. at: monotonic seconds; cut: there was more."""

    @property
    def at(self) -> float: ...
    @property
    def sent(self) -> bool: ...
    @property
    def flow(self) -> FlowView: ...
    @property
    def data(self) -> bytes: ...
    @property
    def cut(self) -> bool: ...


class ExchangeView(Protocol):
    """The messages that have one Call-ID. kind: call, registration or other; call: its name here;
    skipped: how many were not kept, between the first and the newest."""

    @property
    def id(self) -> str: ...
    @property
    def call_id(self) -> bytes: ...
    @property
    def kind(self) -> str: ...
    @property
    def call(self) -> str: ...
    @property
    def skipped(self) -> int: ...
    @property
    def messages(self) -> Sequence[SaidView]: ...


class LadderView(Protocol):
    """The SIP messages of the last calls and registrations."""

    def exchanges(self, *, call: str = "", kind: str = "") -> Sequence[ExchangeView]:
        """The one that began last first."""
        ...

    def find(self, name: str) -> Sequence[ExchangeView]:
        """By its id, the name of the call, or its Call-ID; none: there is no such."""
        ...


class TraceView(Protocol):
    """The network trace."""

    def snapshot(self) -> Mapping[str, Any]:
        """running, began, seconds_left, packets, lost, bytes, words."""
        ...

    @property
    def path(self) -> Path | None:
        """The file, once there is one."""
        ...

    async def start(self, seconds: int) -> None:
        """Raises CommandRefused "running", OSError."""
        ...

    async def stop(self) -> None: ...
    async def remove(self) -> None: ...


class UpkeepView(Protocol):
    """Backup, restore and the ways back. All raise CommandRefused "busy" and OSError."""

    async def backup(self, password: Secret) -> AsyncGenerator[bytes]:
        """What is to be sent. password: empty: without secrets."""
        ...

    async def restore(self, content: AsyncIterator[bytes], password: Secret) -> Sequence[str]:
        """Take it over and begin anew; what is missing. Raises ConfigError."""
        ...

    async def reset(self, kind: Literal["restart", "restore", "factory"]) -> None:
        """Begin anew."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemViews:
    """All of it."""

    log: LogView
    access: AccessView
    ladder: LadderView
    trace: TraceView
    upkeep: UpkeepView
    own_files: Callable[[], OwnFiles | None]
    """Whether the files of the program are as they were built; None: they are looked through."""
    sip_connections: Callable[[], Sequence[tuple[str, tuple[str, int], bool]]]
    """Transport, the other side, and whether it has opened the connection."""
