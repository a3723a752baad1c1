"""How accounts of /vapix/call stand with their registrars (SAC-03)."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final

from sipstrobe.events import RegistrationState
from sipstrobe.io.addresses import own_addresses
from sipstrobe.sip.account import Account
from sipstrobe.sip.reasons import reason_phrase
from sipstrobe.sip.settings import SipSettings
from sipstrobe.web.compat.call_form import Values

KEY: Final = "SIPAccountId"
NO_STANDING: Final[Mapping[str, object]] = {}
_USUAL_PORT: Final = 5060  # RFC 3261 §19.1.2
_NO_ANSWER: Final = 408  # RFC 3261 §8.1.3.1: what a timeout counts as


def uri_of(account: Account, here: str) -> str:
    """The address of record. here: where this device is, for one that is called by address."""
    place = (account.domain or account.registrar) if account.kind == "registered" else ""
    scheme = "sips" if account.sips else "sip"
    return f"{scheme}:{account.user_id}@{place}" if place else f"{scheme}:{here}"


def own_host(port: int) -> str:
    """The address of this machine as it stands in a URI, with the SIP port if it is another."""
    found = [address for address in own_addresses() if not ip_address(address).is_loopback]
    here = next(iter(found), "127.0.0.1")
    here = f"[{here}]" if ":" in here else here
    return here if port == _USUAL_PORT else f"{here}:{port}"


def standing_told(
    account: Account, standing: Mapping[str, object], sip: SipSettings, here: str
) -> Values:
    """How an account stands. here: as `uri_of` takes it."""
    registers = sip.enabled and account.registers
    server = str(standing.get("server") or account.registrar or account.domain)
    code, words = _as_status(standing) if registers else (0, "Does not register")
    return {
        KEY: account.id,
        "SIPURI": str(standing.get("uri") or uri_of(account, here)),
        "RegURI": f"{'sips' if account.sips else 'sip'}:{server}" if registers else "",
        "Status": code,
        "StatusText": words if sip.enabled else "SIP disabled",
        "IsDefault": account.default,
    }


def _as_status(standing: Mapping[str, object]) -> tuple[int, str]:
    """How an account that registers stands, as a SIP status."""
    code = int(str(standing.get("code") or 0))
    match standing.get("state"):
        case RegistrationState.REGISTERED:
            code = 200
        case RegistrationState.FAILED | RegistrationState.GIVEN_UP:
            code = code or _NO_ANSWER
        case _:
            code = code or 100
    return code, reason_phrase(code)
