"""The SIP configuration of /vapix/call, and its attributes (SIP-01…19, ACL-01…03, GAP-27)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from sipstrobe.config.users import Role
from sipstrobe.secret import Secret
from sipstrobe.sip.settings import SipSettings, TurnServer
from sipstrobe.web.compat.call_commands import Command
from sipstrobe.web.compat.call_draft import Desk
from sipstrobe.web.compat.call_form import Arguments, Values, invalid, unsupported

_FLAGS: Final = {  # the API's name -> our place below /sip
    "SIPEnabled": "enabled",
    "STUNEnabled": "nat.stun",
    "TURNEnabled": "nat.turn",
    "ICEEnabled": "nat.ice",
    "AllowIncomingCalls": "allow_incoming",
    "ApplyAccessList": "access.enabled",
}
_NUMBERS: Final = {
    "SIPPort": "port",
    "SIPTLSPort": "tls_port",
    "RTPStartPort": "rtp_start_port",
    "CallingTimeout": "calling_timeout",
    "AnsweringTimeout": "ringing_timeout",
}
_POLICIES: Final = {"allow": "Allow", "block": "Block"}
_RESERVED: Final = {  # told as they are on a new device, and never otherwise
    "ApplyUserAuthentication": "AllowedUsers",
    "ApplyAllowedURIs": "AllowedURIs",
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """A setting that the API knows as a pair of texts. told: its value as it is said there; read:
    the way back. Both know nothing of the other values of the settings."""

    path: str
    type: Literal["string", "int", "bool"]
    told: Callable[[Any], Any] = lambda value: value
    read: Callable[[Any], Any] = lambda value: value


ATTRIBUTES: Final = {
    "DisableTCPSwitch": Attribute("udp_to_tcp", "bool", lambda on: not on, lambda off: not off),
    "MaxCallDuration": Attribute(
        "end_calls_after", "int", lambda limit: limit or 0, lambda limit: limit or None
    ),
    "RegistrationInterval": Attribute("registration_interval", "int"),
    # What the manual has beyond that, under names of our own.
    "AudioDirection": Attribute("audio_direction", "string"),
    "ContactRewrite": Attribute("nat.contact_rewrite", "bool"),
    "DTMFPayloadType": Attribute("dtmf_payload_type", "int"),
    "IncomingCallDuration": Attribute("incoming_duration_limit", "int"),
    "MaxRetransmissions": Attribute("max_registration_attempts", "int"),
    "SecondsUntilFailback": Attribute("failback_after", "int"),
    "ViaRewrite": Attribute("nat.via_rewrite", "bool"),
}
_PATHS: Final = (  # all that this API can set
    *_FLAGS.values(),
    *_NUMBERS.values(),
    *("nat.stun_server", "nat.turn_servers", "access.entries", "access.policy"),
    *(attribute.path for attribute in ATTRIBUTES.values()),
)


class Configuration:
    """The commands about the configuration."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def commands(self) -> dict[str, Command]:
        return {
            "GetSIPConfiguration": Command(
                lambda _: {"SIPConfiguration": configuration_told(self._desk.settings.sip)}
            ),
            "SetSIPConfiguration": Command(self._set, Role.ADMINISTRATOR),
            "GetSupportedSIPConfigurationAttributes": Command(lambda _: _supported()),
            "GetSupportedSIPAccountAttributes": Command(lambda _: {"AttributeInfo": []}),
        }

    def _set(self, given: Arguments) -> Values:
        """KeepCurrent false: what is not named gets its default."""
        wanted = given.object("SIPConfiguration")
        keeps = "KeepCurrent" not in given or given.flag("KeepCurrent")
        patch: Values = {}
        if not keeps:
            for path in _PATHS:
                _put(patch, path, _get(SipSettings(), path))
        for path, value in _changes(wanted, self._desk.settings.sip):
            _put(patch, path, value)
        self._desk.store({"sip": patch})
        return {}


# --- what is told ---------------------------------------------------------------------------------


def configuration_told(sip: SipSettings) -> Values:
    """All of it but passwords, which nobody is told."""
    nat, access = sip.nat, sip.access
    return {
        **{name: _get(sip, path) for name, path in (_FLAGS | _NUMBERS).items()},
        "STUNServers": [{"Server": nat.stun_server}] if nat.stun_server else [],
        "TURNServers": [
            {"Server": server.address, "Username": server.user, "Password": None}
            for server in nat.turn_servers
        ],
        **dict.fromkeys(_RESERVED, False),
        **{name: [] for name in _RESERVED.values()},
        "AccessList": list(access.entries),
        "AccessListPolicy": _POLICIES[access.policy],
        "Attribute": [
            {"Name": name, "Value": _text(attribute.told(_get(sip, attribute.path)))}
            for name, attribute in ATTRIBUTES.items()
        ],
    }


def _supported() -> Values:
    usual = SipSettings()
    told = [
        {
            "Name": name,
            "Type": attribute.type,
            "Default": _text(attribute.told(_get(usual, attribute.path))),
        }
        for name, attribute in ATTRIBUTES.items()
    ]
    return {"AttributeInfo": told}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _get(sip: SipSettings, path: str) -> Any:
    value: Any = sip
    for name in path.split("."):
        value = getattr(value, name)
    return value


# --- what is changed ------------------------------------------------------------------------------


def _changes(given: Arguments, sip: SipSettings) -> Iterator[tuple[str, Any]]:
    """What is said of our settings, by their place."""
    for name, path in _FLAGS.items():
        if name in given:
            yield path, given.flag(name)
    for name, path in _NUMBERS.items():
        if name in given:
            yield path, given.number(name)
    yield from _servers(given, sip)
    yield from _access(given)
    if "Attribute" in given:
        for one in given.objects("Attribute"):
            yield from _attribute(one)


def _servers(given: Arguments, sip: SipSettings) -> Iterator[tuple[str, Any]]:
    if "STUNServers" in given:
        servers = [server.text("Server") for server in given.objects("STUNServers")]
        if len(servers) > 1:
            raise invalid("STUNServers: there can be one STUN server")
        yield "nat.stun_server", "".join(servers)
    if "TURNServers" in given:
        known = {(one.address, one.user): one for one in sip.nat.turn_servers}
        yield (
            "nat.turn_servers",
            [_turn_server(one, known) for one in given.objects("TURNServers")],
        )


def _turn_server(given: Arguments, known: dict[tuple[str, str], TurnServer]) -> TurnServer:
    """One whose password is not said keeps what it had with this name, and its transport."""
    address = given.text("Server")
    user = given.text("Username") if "Username" in given else ""
    before = known.get((address, user), TurnServer(address=address, user=user))
    password = Secret(given.text("Password")) if "Password" in given else before.password
    return TurnServer(address=address, transport=before.transport, user=user, password=password)


def _access(given: Arguments) -> Iterator[tuple[str, Any]]:
    for switch, entries in _RESERVED.items():
        if (switch in given and given.flag(switch)) or (entries in given and given.texts(entries)):
            raise unsupported(f"{switch}, {entries}: use ApplyAccessList and AccessList")
    if "AccessList" in given:
        yield "access.entries", list(given.texts("AccessList"))
    if given.is_null("AccessListPolicy"):
        yield "access.policy", "allow"
    elif "AccessListPolicy" in given:
        wanted = given.text("AccessListPolicy")
        policy = next((ours for ours, name in _POLICIES.items() if name == wanted), None)
        if policy is None:
            raise invalid("AccessListPolicy must be one of Allow, Block")
        yield "access.policy", policy


def _attribute(given: Arguments) -> Iterator[tuple[str, Any]]:
    """One that is not known is passed over."""
    name = given.text("Name")
    attribute = ATTRIBUTES.get(name)
    if attribute is None:
        return
    said = {name: given.text("Value")}
    match attribute.type:
        case "bool":
            value: Any = Arguments(said).flag(name)
        case "int":
            value = Arguments(said).number(name)
        case "string":
            value = said[name]
    yield attribute.path, attribute.read(value)


def _put(patch: Values, path: str, value: Any) -> None:
    *above, name = path.split(".")
    for step in above:
        patch = patch.setdefault(step, {})
    patch[name] = value
