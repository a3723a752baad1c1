"""What a device answers when it does not do what was asked (RFC 9457)."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from sipstrobe.errors import Problem, SipstrobeError


class Unreachable(SipstrobeError):
    """No answer came: the address, the network, or what TLS must prove."""


class Refused(SipstrobeError):
    """The device has answered with a problem; str() of it is for people.

    status: of HTTP. code: a stable word such as "unknown_profile", or empty. problems: what is
    wrong with which field, where a JSON pointer or a name says which.
    """

    def __init__(
        self, status: int, detail: str, code: str = "", problems: tuple[Problem, ...] = ()
    ) -> None:
        super().__init__("; ".join(str(p) for p in problems) or detail)
        self.status = status
        self.detail = detail
        self.code = code
        self.problems = problems

    @classmethod
    def read(cls, status: int, body: bytes) -> "Refused":
        """From the body of an answer, whatever that is."""
        try:
            told = msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError, ValueError):
            told = None
        if not isinstance(told, dict):
            return cls(status, f"the device answers with status {status}")
        said = cast("dict[str, Any]", told)
        detail = str(said.get("detail") or said.get("title") or f"status {status}")
        return cls(status, detail, str(said.get("code", "")), _problems(said, detail))


def _problems(said: Mapping[str, Any], detail: str) -> tuple[Problem, ...]:
    listed = said.get("problems")
    if isinstance(listed, list):
        entries = cast("list[Any]", listed)
        found = [cast("dict[str, Any]", entry) for entry in entries if isinstance(entry, dict)]
        return tuple(Problem(str(p.get("path", "")), str(p.get("message", ""))) for p in found)
    field = said.get("field")
    return (Problem(str(field), detail),) if field else ()
