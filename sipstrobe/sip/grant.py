"""What a registrar grants with its 200: RFC 3261 §10.2.4, and what later RFCs have added; a value.

A registrar cannot be told off for nonsense in its answer: what makes no sense counts as not said.
"""

from contextlib import suppress

from msgspec import Struct

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.grammar import parse_delta_seconds
from sipstrobe.sip.headers import NameAddr
from sipstrobe.sip.identity import Binding
from sipstrobe.sip.message import Response
from sipstrobe.sip.uri import Uri, equivalent

MAX_EXPIRES = 7 * 86_400  # seconds; whoever grants more is asked again after a week
MAX_ROUTE = 16  # proxies in a service route or path


class Grant(Struct, frozen=True):
    """expires: seconds, 0 if the registrar has not kept the binding. route: of later requests.

    outbound: the registrar keeps the flow (RFC 5626 §6), and gives it up after flow_timer seconds
    of silence, if it says so.
    """

    expires: int
    route: tuple[str, ...]
    service_route: tuple[str, ...]
    path: tuple[str, ...]
    gruu: str
    outbound: bool
    flow_timer: int | None

    @classmethod
    def read(
        cls, answer: Response, contact: str, binding: Binding, expires: int, *, outbound: bool
    ) -> "Grant":
        """contact: the address that was to be registered; expires, outbound: what was asked for."""
        own = _own_contact(answer, contact, binding)
        service_route = _addresses(answer, "Service-Route")
        extensions = [tag.lower() for tag in answer.tokens("Require")] if outbound else []
        return cls(
            _expires(answer, own, expires),
            _joined(binding.identity.route, service_route),
            service_route,
            _addresses(answer, "Path"),
            _gruu(own) if outbound and own is not None else "",
            "outbound" in extensions,
            parse_seconds(answer.headers.first("Flow-Timer")),
        )


def parse_seconds(text: str | None) -> int | None:
    """A duration, None if there is none or it makes no sense."""
    with suppress(RemoteProtocolError):
        return None if text is None else parse_delta_seconds(text)
    return None


def _own_contact(answer: Response, contact: str, binding: Binding) -> NameAddr | None:
    """Ours among the bindings that are listed.

    Routers on the way and registrars change addresses; the instance or the user remains.
    """
    uri = NameAddr.parse(contact).uri
    instance, reg_id = f"<{binding.instance_id}>", str(binding.reg_id)
    same: NameAddr | None = None
    likely: NameAddr | None = None
    for listed in answer.contacts:
        params = listed.params
        if equivalent(listed.uri, uri):
            return listed
        if params.get("+sip.instance", instance) != instance:
            continue  # of another device of this user
        if "+sip.instance" in params and params.get("reg-id", reg_id) == reg_id:
            same = same or listed
        elif listed.uri.is_sip and listed.uri.user == uri.user:
            likely = likely or listed
    return same or likely


def _expires(answer: Response, own: NameAddr | None, asked: int) -> int:
    """A registrar that lists no bindings at all is believed that it has ours."""
    if own is None and answer.contacts:
        return 0
    seconds = None if own is None else parse_seconds(own.params.get("expires"))
    if seconds is None:
        seconds = asked if answer.expires is None else answer.expires
    return min(seconds, MAX_EXPIRES)


def _addresses(answer: Response, name: str) -> tuple[str, ...]:
    """The values of a list of SIP addresses; () if they are too many."""
    with suppress(RemoteProtocolError):
        found = answer.addresses(name)
        if len(found) <= MAX_ROUTE and all(address.uri.is_sip for address in found):
            return tuple([str(address) for address in found])
    return ()


def _joined(proxies: tuple[str, ...], service_route: tuple[str, ...]) -> tuple[str, ...]:
    """RFC 3608 §6.1: the service route after our own proxies, unless it begins with one."""
    if not service_route:
        return proxies
    places = [_place(proxy) for proxy in proxies]
    return service_route if _place(service_route[0]) in places else proxies + service_route


def _place(route: str) -> tuple[str, int | None]:
    uri = NameAddr.parse(route).uri
    return (uri.host.lower(), uri.port)


def _gruu(own: NameAddr) -> str:
    """RFC 5627 §4.2; the lasting one is better than one for this time."""
    for name in ("pub-gruu", "temp-gruu"):
        with suppress(RemoteProtocolError):
            uri = Uri.parse(own.params.get(name, ""))
            if uri.is_sip:
                return str(uri)
    return ""
