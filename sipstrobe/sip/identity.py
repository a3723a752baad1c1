"""Who the device is in requests of its own, and what binds that to a registrar: as values."""

from enum import Enum

from msgspec import Struct

from sipstrobe.secret import Secret
from sipstrobe.sip.transport import Address
from sipstrobe.sip.uri import Uri


class Credential(Struct, frozen=True):
    """A user name and password; realm: where they are known, "" for wherever they are asked for.

    Those of the realm that asks are tried first, then those for any realm, in their order.
    """

    user: str
    password: Secret
    realm: str = ""


class Identity(Struct, frozen=True):
    """Who speaks in a request outside of a dialog, and by which way it goes.

    uri: the address-of-record, or at no registrar the address that the call comes from; a sips:
    URI asks for encryption on every hop. route: values of Route, the next hop first (RFC 3261
    §8.1.2), such as ``<sip:proxy.example;lr>``. contact_user: the user part of Contact, "" for
    that of uri. gruu: stands in Contact in place of our address (RFC 5627 §4.4). outbound: the
    registrar keeps our flow, which Contact then says by ``ob`` (RFC 5626 §4.3).
    """

    uri: str
    display: str = ""
    credentials: tuple[Credential, ...] = ()
    route: tuple[str, ...] = ()
    contact_user: str = ""
    gruu: str = ""
    outbound: bool = False


def contact_user(identity: Identity) -> str:
    """The user part of its Contact."""
    return identity.contact_user or Uri.parse(identity.uri).user or ""


class Binding(Struct, frozen=True):
    """What is to be registered: RFC 3261 §10, RFC 5626 §4.2.

    identity: its uri is the address-of-record, its route leads to the registrar. registrar: the
    Request-URI, such as ``sip:pbx.example``. expires: seconds to ask for. instance_id: a URN such
    as ``urn:uuid:00000000-0000-1000-8000-000A95A0E128``, the same at every start; "" does without
    outbound and GRUU. reg_id: tells the flows of one instance apart, from 1.
    """

    identity: Identity
    registrar: str
    expires: int = 3600
    instance_id: str = ""
    reg_id: int = 1


class RegistrationTrouble(Enum):
    """Why a binding does not exist, or no longer."""

    UNREACHABLE = "unreachable"  # no answer, or the connection or flow is gone
    UNAUTHORIZED = "unauthorized"  # a wrong password, or none where one is asked for
    REFUSED = "refused"  # 403, 404 and the like: asking again will not help
    BUSY = "busy"  # 5xx, 480: later, perhaps
    UNUSABLE = "unusable"  # an answer that cannot be worked with


class Registered(Struct, frozen=True):
    """The registrar keeps the binding of this name; said after each refreshment as well.

    identity: who to be in requests by way of this registrar: with its service route (RFC 3608) and
    GRUU. expires: seconds from now for which it is granted; it is refreshed well before. public:
    our address as the registrar sees it, None if it is our own. path: RFC 3327.
    """

    name: str
    status: int
    words: str
    server: Address
    expires: int
    identity: Identity
    service_route: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    public: Address | None = None


class RegistrationFailed(Struct, frozen=True):
    """The binding could not be made or refreshed, or its flow was lost; nothing more is tried.

    status: 0 if there was no response. retry_after: seconds that the server asks for.
    """

    name: str
    trouble: RegistrationTrouble
    status: int
    words: str
    server: Address
    retry_after: int | None = None


class Unregistered(Struct, frozen=True):
    """`unregister` has been carried out, as far as that was possible; the name is free again.

    status: 0 if there was nothing to remove, or no response.
    """

    name: str
    status: int
    words: str
