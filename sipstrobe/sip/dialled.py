"""What a person means who dials: an address, or only the user part of one."""

import re
from urllib.parse import quote

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.account import Account
from sipstrobe.sip.servers import scheme_of
from sipstrobe.sip.uri import Uri

_SCHEME = re.compile(r"(?i)(sips?|tel):")  # anything else before a colon is a user or a host
_HOST = re.compile(r"[\[.:]")  # what a host has and an extension has not
_VISUAL = re.compile(r"[-.() ]")  # RFC 3966 §5.1.1: separators in telephone numbers
_SAFE = "-_.!~*'()&=+$,;?/"  # RFC 3261 §25.1: mark and user-unreserved


def dialled(text: str, account: Account) -> Uri:
    """The address that a call of this account goes to.

    "1001" of an account with a domain is 1001@domain, as is tel:1001 (RFC 3261 §19.1.6). Raises
    RemoteProtocolError for what is no address of a phone.
    """
    domain = (account.domain or account.registrar) if account.registers else ""
    scheme = _SCHEME.match(text)
    if scheme is not None and scheme[1].lower() == "tel":
        number, semicolon, parameters = text[4:].partition(";")
        if not domain:
            raise RemoteProtocolError("only a server knows where a telephone number is", status=416)
        user = f"{_VISUAL.sub('', number)}{semicolon}{parameters}"
        return Uri.parse(f"{scheme_of(account)}:{quote(user, safe=_SAFE)}@{domain};user=phone")
    if scheme is not None:
        return Uri.parse(text)
    if "@" in text or not domain or _HOST.search(text):
        return Uri.parse(f"{scheme_of(account)}:{text}")
    return Uri.parse(f"{scheme_of(account)}:{quote(text, safe=_SAFE)}@{domain}")
