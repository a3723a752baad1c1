"""What SDP says about ICE: RFC 8839 with the candidates of its §5.1, RFC 8840 for trickle."""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sdp.description import Media, SessionDescription

MAX_CANDIDATES: Final = 32  # of one m= line that are looked at; more only cost checks
_ICE_CHARS: Final = r"[A-Za-z0-9+/]"  # RFC 8839 §5.1: ice-char
_FOUNDATION: Final = re.compile(_ICE_CHARS + r"{1,32}")
_UFRAG: Final = re.compile(_ICE_CHARS + r"{4,256}")
_PWD: Final = re.compile(_ICE_CHARS + r"{22,256}")
_NUMBER: Final = re.compile(r"[0-9]{1,10}")
KINDS: Final = ("host", "srflx", "prflx", "relay")


class Candidate(Struct, frozen=True, kw_only=True):
    """One address at which a component may be reached."""

    foundation: str
    component: int  # 1: RTP, 2: RTCP
    transport: str  # as written; "udp" is all that we use
    priority: int
    host: str  # numeric; a name (mDNS) stays as it was written
    port: int
    kind: str  # host, srflx, prflx, relay
    related: tuple[str, int] | None = None  # the base of one that is not host

    @classmethod
    def parse(cls, text: str) -> "Candidate":
        """``1 1 udp 2130706431 192.0.2.1 4000 typ host``. Raises RemoteProtocolError."""
        words = text.split()
        if len(words) < 8 or words[6] != "typ" or not _FOUNDATION.fullmatch(words[0]):
            raise RemoteProtocolError(f"a=candidate:{text[:80]} is no candidate")
        extra = dict(zip(words[8::2], words[9::2], strict=False))
        related = None
        if "raddr" in extra and "rport" in extra:
            related = (extra["raddr"], _number(extra["rport"], 65535))
        return cls(
            foundation=words[0],
            component=_number(words[1], 256),
            transport=words[2],
            priority=_number(words[3], (1 << 32) - 1),
            host=words[4],
            port=_number(words[5], 65535),
            kind=words[7],
            related=related,
        )

    def __str__(self) -> str:
        text = (
            f"{self.foundation} {self.component} {self.transport} {self.priority}"
            f" {self.host} {self.port} typ {self.kind}"
        )
        if self.related is not None:
            text += f" raddr {self.related[0]} rport {self.related[1]}"
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class IceDescription:
    """ICE of one m= line, with what holds for the whole session."""

    ufrag: str
    pwd: str = field(repr=False)
    candidates: tuple[Candidate, ...] = ()
    lite: bool = False
    ended: bool = True  # no more candidates will follow (RFC 8840 §4.2.2)
    remote: tuple[tuple[int, str, int], ...] = ()  # a=remote-candidates: component, host, port
    mismatch: bool = False  # the peer cannot do ICE with what it got from us (RFC 8839 §5.6)

    def restarts(self, before: "IceDescription") -> bool:
        """RFC 8445 §9: with another user name and password everything is tried anew."""
        return (self.ufrag, self.pwd) != (before.ufrag, before.pwd)


def read(session: SessionDescription, media: Media) -> IceDescription | None:
    """What the peer says; None when it does no ICE for this medium.

    Candidates that cannot be read or used are passed over (RFC 8839 §5.1). Raises
    RemoteProtocolError for credentials that are none.
    """
    ufrag = _of(session, media, "ice-ufrag")
    pwd = _of(session, media, "ice-pwd")
    mismatch = media.attribute("ice-mismatch") is not None
    if ufrag is None or pwd is None:
        return None
    if not _UFRAG.fullmatch(ufrag) or not _PWD.fullmatch(pwd):
        raise RemoteProtocolError("a=ice-ufrag or a=ice-pwd is too short, too long or no such word")
    options = (_of(session, media, "ice-options") or "").split()
    ended = any(one.attribute("end-of-candidates") is not None for one in (session, media))
    return IceDescription(
        ufrag=ufrag,
        pwd=pwd,
        candidates=_candidates(media),
        lite=_of(session, media, "ice-lite") is not None,  # some write it below m=
        ended=ended or "trickle" not in options,
        remote=_remote(media),
        mismatch=mismatch,
    )


def mismatches(ice: IceDescription, host: str, ports: tuple[int, int | None]) -> bool:
    """RFC 8839 §4.2.5: somebody on the way has changed the address in c= or m= and left the
    candidates as they were; then ICE would test addresses that media is not meant for.

    Not so while more candidates may come, as from somebody who has none yet (RFC 8840 §4.1.1).
    """
    if not ice.ended:
        return False
    for component, port in enumerate(ports, 1):
        here = [c for c in ice.candidates if c.component == component]
        if port is None or (component == 2 and not here):
            continue
        if not any(_same(c.host, host) and c.port == port for c in here):
            return True
    return False


def session_lines(ice: IceDescription | None) -> list[str]:
    """What ICE adds to the session part. RFC 8445 §10: ice2 says which edition we follow."""
    return ["a=ice-options:ice2"] if ice is not None and not ice.mismatch else []


def media_lines(ice: IceDescription | None) -> list[str]:
    """What ICE adds to the m= section."""
    if ice is None:
        return []
    if ice.mismatch:
        return ["a=ice-mismatch"]
    lines = [f"a=ice-ufrag:{ice.ufrag}", f"a=ice-pwd:{ice.pwd}"]
    lines += [f"a=candidate:{candidate}" for candidate in ice.candidates]
    if ice.remote:
        listed = " ".join(f"{component} {host} {port}" for component, host, port in ice.remote)
        lines.append(f"a=remote-candidates:{listed}")
    return [*lines, "a=end-of-candidates"]


def _candidates(media: Media) -> tuple[Candidate, ...]:
    found: list[Candidate] = []
    for text in media.attributes("candidate"):
        try:
            candidate = Candidate.parse(text)
        except RemoteProtocolError:
            continue
        if candidate.transport.lower() == "udp" and candidate.kind in KINDS and candidate.port:
            found.append(candidate)
        if len(found) == MAX_CANDIDATES:
            break
    return tuple(found)


def _remote(media: Media) -> tuple[tuple[int, str, int], ...]:
    words = (media.attribute("remote-candidates") or "").split()
    try:
        return tuple(
            (_number(words[n], 256), words[n + 1], _number(words[n + 2], 65535))
            for n in range(0, min(len(words), 6) - 2, 3)
        )
    except RemoteProtocolError:
        return ()


def _of(session: SessionDescription, media: Media, name: str) -> str | None:
    """RFC 8839 §5.4: what the m= section says counts more than what the session says."""
    value = media.attribute(name)
    return session.attribute(name) if value is None else value


def _same(one: str, other: str) -> bool:
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return one.lower() == other.lower()


def _number(text: str, largest: int) -> int:
    if not _NUMBER.fullmatch(text) or int(text) > largest:
        raise RemoteProtocolError(f"{text[:20]!r} is no number up to {largest}")
    return int(text)
