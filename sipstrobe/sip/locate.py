"""Which servers stand behind a domain, and in which order they are tried: RFC 3263, RFC 2782.

Only what the records mean; whoever has a name server reads them (the rows are those of the
presentation format) and asks for what is named here.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from msgspec import Struct

from sipstrobe.sip.transport import Transport

MAX_SERVERS = 8  # SRV records of one domain that are looked at
MAX_HOPS = 16  # addresses of one domain that are tried

# RFC 3263 §4.1 and its registry (RFC 7118 §9 for WebSocket): NAPTR service, usual place of SRV
_KINDS: dict[Transport, tuple[str, str]] = {
    Transport.UDP: ("SIP+D2U", "_sip._udp"),
    Transport.TCP: ("SIP+D2T", "_sip._tcp"),
    Transport.TLS: ("SIPS+D2T", "_sips._tcp"),
    Transport.WS: ("SIP+D2W", ""),
    Transport.WSS: ("SIPS+D2W", ""),
}


class Hop(Struct, frozen=True):
    """One address to send to. name: the domain it was found by, which a certificate must have."""

    transport: Transport
    host: str
    port: int
    name: str


class Naptr(NamedTuple):
    """RFC 3403 §4.1, without the regular expression, which SIP does not use."""

    order: int
    preference: int
    flags: str  # lower case
    service: str  # upper case
    replacement: str

    @classmethod
    def read(cls, row: tuple[str, ...]) -> "Naptr":
        order, preference, flags, service, _, replacement = row
        return cls(int(order), int(preference), flags.lower(), service.upper(), replacement)


class Srv(NamedTuple):
    """RFC 2782. target: "" says that there decidedly is no such service."""

    priority: int
    weight: int
    port: int
    target: str

    @classmethod
    def read(cls, row: tuple[str, ...]) -> "Srv":
        priority, weight, port, target = row
        return cls(int(priority), int(weight), int(port), target)


def srv_names(host: str, records: Iterable[Naptr], transport: Transport) -> list[str]:
    """Where the SRV records of a domain are, best first; none: only the host itself has addresses.

    RFC 3263 §4.1: those NAPTR records count whose service we can use, here the one transport that
    we are to use; a domain without any has its SRV records at the usual place.
    """
    service, usual = _KINDS[transport]
    fit = sorted(r for r in records if r.service == service and r.flags == "s" and r.replacement)
    if fit:
        return [record.replacement for record in fit]
    return [f"{usual}.{host}"] if usual else []


def in_order(records: Iterable[Srv], random_below: Callable[[int], int]) -> list[Srv]:
    """Lowest priority first; within one, each next is drawn by weight (RFC 2782, page 3).

    random_below(n): an integer of 0…n−1.
    """
    waiting = sorted(records)[:MAX_SERVERS]  # weight 0 first within a priority, as it must be
    ordered: list[Srv] = []
    while waiting:
        same = [record for record in waiting if record.priority == waiting[0].priority]
        drawn = random_below(sum(record.weight for record in same) + 1)
        total = 0
        for record in same:
            total += record.weight
            if total >= drawn:
                ordered.append(record)
                waiting.remove(record)
                break
    return ordered
