"""What all calls of the endpoint share: transactions, dialogs, settings, and the outbox."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sipstrobe.sip.dialog import Dialog, DialogKey
from sipstrobe.sip.guard import Guard
from sipstrobe.sip.identity import Identity
from sipstrobe.sip.keeper import Keepers
from sipstrobe.sip.layer import Layer
from sipstrobe.sip.outputs import Output
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.target import next_hop
from sipstrobe.sip.transport import Address, Flow, Transport
from sipstrobe.sip.uri import Uri

if TYPE_CHECKING:
    from sipstrobe.sip.modify import ModifiableSession
    from sipstrobe.sip.registration import Registration
    from sipstrobe.sip.subscription import Subscription, SubscriptionKey


class Core:
    """The tables in which a call is found, and what it needs to speak."""

    def __init__(
        self,
        settings: SipSettings,
        random_bytes: Callable[[int], bytes],
        *,
        max_transactions: int,
    ) -> None:
        self.outbox: deque[Output] = deque()
        self.guard = Guard(settings, random_bytes)
        self.layer = Layer(
            self.outbox,
            random_bytes,
            self.guard.limits,
            max_transactions=max_transactions,
        )
        self.settings = settings
        self.sessions: dict[str, ModifiableSession] = {}  # every one that is not over for the wire
        self.dialogs: dict[DialogKey, tuple[ModifiableSession, Dialog]] = {}
        self.registrations: dict[str, Registration] = {}
        self.keepers = Keepers(self.layer)
        self._bound: dict[str, dict[Registration, None]] = {}  # by the user part of Contact
        self.subscriptions: dict[SubscriptionKey, Subscription] = {}
        self._callers: dict[str, str] = {}  # the address that an incoming call came from

    def enter(self, session: "ModifiableSession", dialog: Dialog) -> None:
        self.dialogs[dialog.key] = (session, dialog)

    def leave(self, dialog: Dialog) -> None:
        self.dialogs.pop(dialog.key, None)

    def begin_incoming(self, name: str, host: str) -> None:
        """A call from this address begins."""
        self._callers[name] = host
        self.guard.limits.hold(host)

    def end(self, name: str) -> None:
        """Nothing more is to be said or heard in this call."""
        self.sessions.pop(name, None)
        host = self._callers.pop(name, None)
        if host is not None:
            self.guard.limits.release(host)

    def remember(self, registration: "Registration") -> None:
        """Note under which user others reach us by this binding."""
        self.registrations[registration.name] = registration
        self._bound.setdefault(registration.user, {})[registration] = None

    def forget(self, registration: "Registration") -> None:
        self.registrations.pop(registration.name, None)
        bound = self._bound.get(registration.user, {})
        bound.pop(registration, None)
        if not bound:
            self._bound.pop(registration.user, None)

    def identity_of(self, user: str, flow: Flow) -> Identity | None:
        """Who we are for a request to this user that the server of one of our bindings sends.

        Anybody else is not told the GRUU and gets no answer to a challenge.
        """
        for registration in self._bound.get(user, ()):
            if registration.flow.remote.host == flow.remote.host:
                return registration.identity
        return None

    def contact(
        self, user: str, flow: Flow, *, sips: bool, identity: Identity | None = None
    ) -> tuple[str, str]:
        """The Contact field of a request or response of ours; identity: if we are registered."""
        if identity is not None and identity.gruu:
            return ("Contact", f"<{identity.gruu}>")
        at = self.layer.mappings.reached_at(flow)
        name, value = contact_of(
            user, flow if at is flow.local else replace(flow, local=at), sips=sips
        )
        if identity is not None and identity.outbound:
            value = f"{value[:-1]};ob>"
        return (name, value)

    def contact_changed(self, remote: Address, *, now: float) -> None:
        """We may be reached by another address than this peer knows: its calls are told."""
        for session in list(self.sessions.values()):
            if session.dialog is not None and session.dialog.flow.remote == remote:
                session.contact_changed(now=now)

    def hop(self, dialog: Dialog) -> Flow:
        """The next hop within a dialog; a connection that is gone is not used any more.

        Raises RemoteProtocolError when the peer has named a place that cannot be reached.
        """
        connection = dialog.flow.connection
        if connection is not None and connection not in self.layer.connections:
            dialog.flow = replace(dialog.flow, connection=None)
        return self._from_our_port(dialog.hop(), dialog.flow)

    def way_to(self, uri: Uri, flow: Flow) -> Flow:
        """The way to somebody else, whom the peer of this flow has named; the same is raised."""
        flow = replace(flow, connection=None)
        return self._from_our_port(next_hop(uri, flow), flow)

    def _from_our_port(self, hop: Flow, flow: Flow) -> Flow:
        if hop.transport is flow.transport:
            return hop
        return replace(hop, local=Address(hop.local.host, self.port_of(hop.transport)))

    def port_of(self, transport: Transport) -> int:
        """The port of ours that Via and Contact name over this transport.

        Where we do not listen only the connection leads to us, whatever they say.
        """
        return self.settings.port_of(transport) or transport.usual_port


def contact_of(user: str, flow: Flow, *, sips: bool = False) -> tuple[str, str]:
    """The Contact field under which this end can be reached by a peer of that flow.

    sips: that end has asked for encryption on every hop (RFC 3261 §8.1.1.8, §12.1.1).
    """
    at = f"{user}@{flow.local}" if user else str(flow.local)
    scheme, named = ("sips", "") if sips else ("sip", flow.transport.in_uri)
    if flow.transport.websocket:
        named = flow.transport.in_uri
    transport = f";transport={named}" if named else ""
    return ("Contact", f"<{scheme}:{at}{transport}>")
