"""How it stands with the hearing of groups, as a person is told who looks after the building."""

from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import Final

from sipstrobe.multicast.querier import DEFAULT, Link, Query

IDLE: Final = "No groups are joined."
LOCAL: Final = "All groups are on this machine, where nothing is forgotten."
TOLD: Final = 3  # troubles, and the rest by their number
_HELP: Final = (
    "Switches may stop delivering pages, so this device joins its groups again every"
    " {:.0f} seconds. Turn on the querier of a switch or router."
)


def asked(links: Iterable[tuple[Link, Query | None]]) -> str:
    """All is well."""
    return _sentences(
        f"{_who(query)} asks on {link.interface} which groups are wanted ({link.protocol}), and is"
        " answered."
        for link, query in links
    )


def no_querier(links: Sequence[tuple[Link, Query | None]], again: float) -> str:
    """again: seconds in which groups are joined anew, at the latest."""
    said = _sentences(
        f"Nobody on {link.interface} asks which groups are wanted (no {link.protocol} querier)"
        + (f"; {_who(query)} did." if query is not None else ".")
        for link, query in links
    )
    return f"{said} {_HELP.format(again)}"


def waiting(links: Iterable[Link]) -> str:
    """Nobody has asked so far."""
    where = ", ".join(f"{link.interface} ({link.protocol})" for link in links)
    limit = DEFAULT.present_for
    return (
        f"Nobody has asked yet which groups are wanted on {where}; that takes up to {limit:.0f} s."
    )


def blind(problem: str, again: float) -> str:
    return (
        f"Whether somebody asks which groups are wanted cannot be seen: {problem}. This device"
        f" joins its groups again every {again:.0f} seconds."
    )


def returned(address: str) -> str:
    """A group was heard again when it was joined anew."""
    return f" {address} was cut off until it was joined anew: a switch had forgotten it."


def deaf(troubles: Sequence[str]) -> str:
    more = len(troubles) - TOLD
    return _sentences(troubles[:TOLD]) + (f" And {more} more." if more > 0 else "")


def not_joined(address: str, problem: str) -> str:
    return f"{address} cannot be joined: {problem}."


def absent(address: str, interface: str) -> str:
    where = f" on {interface}" if interface else ""
    return f"{address} has been joined{where}, and the system does not have it."


def not_reported(address: str, interfaces: Iterable[str]) -> str:
    where = " and ".join(interfaces)
    return (
        f"{address}: no membership report leaves this device on {where}, so that switches do not"
        " deliver it; look for a firewall here that stops IGMP or MLD."
    )


def _who(query: Query | None) -> str:
    """RFC 4541 §2.1.1: a switch without an address asks from 0.0.0.0."""
    return "A switch" if query is None or ip_address(query.by).is_unspecified else query.by


def _sentences(said: Iterable[str]) -> str:
    return " ".join(said)
