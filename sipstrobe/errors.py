"""What can go wrong, by who is to blame and who can answer."""

from collections.abc import Iterable

from msgspec import Struct


class SipstrobeError(Exception):
    """Anything this program raises on purpose."""


class ProtocolError(SipstrobeError):
    """A protocol's rules were broken."""


class RemoteProtocolError(ProtocolError):
    """Bytes or behaviour of a peer that no standard allows.

    status: the SIP status to answer with, if the peer can be answered.
    """

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class LocalProtocolError(ProtocolError):
    """We asked for something that the protocol does not allow in this state."""


class MediaError(SipstrobeError):
    """A sound, a device or a file cannot be used; the message says why."""


class Problem(Struct, frozen=True):
    """One thing wrong with a setting: where (a JSON pointer) and what."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path or '/'}: {self.message}"


class ConfigError(SipstrobeError):
    """Settings that cannot be: every problem found, each with its path."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(p) for p in self.problems))


class StaleRevision(ConfigError):
    """The settings have changed since the caller looked at them."""


class CommandRefused(SipstrobeError):
    """An order that will not be carried out.

    code: a stable word for doors to translate ("unknown_profile"); the message is for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
