"""Whose certificate is believed, whatever Python it is that asks."""

import ssl
from pathlib import Path

import pytest

from sipstrobe.io.tls_client import client_context
from tests.support.authority import Authority, Signed

PBX = "pbx.example"


def shake_hands(trusting: ssl.SSLContext, shown: Signed, folder: Path, name: str = PBX) -> None:
    """On paper. Raises ssl.SSLError."""
    certificate, key, _ = shown.write(folder)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate, key)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = trusting.wrap_bio(down, up, server_hostname=name)
    there = theirs.wrap_bio(up, down, server_side=True)
    for _ in range(2):
        for end in (here, there):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue


def test_an_authority_that_names_no_keys_is_believed(tmp_path: Path) -> None:
    authority = Authority()
    shake_hands(client_context(authority.certificate), authority.sign(PBX), tmp_path)


def test_the_certificate_of_the_server_itself_may_be_given(tmp_path: Path) -> None:
    shown = Authority().sign(PBX)
    shake_hands(client_context(shown.certificate), shown, tmp_path)


@pytest.mark.parametrize(
    ("name", "last_day", "theirs"),
    [("other.example", 30, False), (PBX, -0.5, False), (PBX, 30, True)],
    ids=["another name", "too old", "signed by somebody else"],
)
def test_others_are_not_believed_unless_anybody_is(
    tmp_path: Path, name: str, last_day: float, theirs: bool
) -> None:
    ours = Authority()
    shown = (Authority() if theirs else ours).sign(PBX, last_day=last_day)

    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(client_context(ours.certificate), shown, tmp_path, name)
    shake_hands(client_context(ours.certificate, verify=False), shown, tmp_path, name)
