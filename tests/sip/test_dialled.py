"""What people type, and whom they mean."""

import pytest

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.account import Account
from sipstrobe.sip.dialled import dialled

PBX = Account(kind="registered", domain="pbx.test", registrar="192.0.2.1")
SIPS = Account(kind="registered", registrar="pbx.test:5061", transport="tls", sips=True)
PEER = Account()


@pytest.mark.parametrize(
    ("account", "text", "uri"),
    [
        (PBX, "1001", "sip:1001@pbx.test"),
        (PBX, "*1#", "sip:*1%23@pbx.test"),
        (PBX, "anna müller", "sip:anna%20m%C3%BCller@pbx.test"),
        (PBX, "1001@other.test", "sip:1001@other.test"),
        (PBX, "192.0.2.7", "sip:192.0.2.7"),
        (PBX, "[2001:db8::1]:5070", "sip:[2001:db8::1]:5070"),
        (PBX, "phone:5070", "sip:phone:5070"),
        (PBX, "sip:1001@10.0.0.1;transport=tcp", "sip:1001@10.0.0.1;transport=tcp"),
        (PBX, "tel:+49-30 123", "sip:+4930123@pbx.test;user=phone"),
        (PBX, "TEL:+49(30)123;ext=1", "sip:+4930123;ext=1@pbx.test;user=phone"),
        (SIPS, "1001", "sips:1001@pbx.test:5061"),
        (SIPS, "1001@pbx.test", "sips:1001@pbx.test"),
        (PEER, "1001", "sip:1001"),
        (PEER, "1001@phone.lan", "sip:1001@phone.lan"),
    ],
)
def test_a_dialled_text_is_an_address(account: Account, text: str, uri: str) -> None:
    assert str(dialled(text, account)) == uri


@pytest.mark.parametrize("text", ["", "sip:", "<x>", "a b@c", "sip:1001@", "tel:123"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        dialled(text, PEER)
