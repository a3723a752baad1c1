"""TLS without sockets: two ends, and what one has to say about the other (RFC 8446, RFC 5922)."""

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.errors import ConfigError, RemoteProtocolError
from sipstrobe.io.tls import Tls, TlsChannel
from sipstrobe.io.x509 import Identity
from sipstrobe.secret import Secret
from tests.support.authority import Authority, Signed

OURS = Authority()
PBX = OURS.sign("pbx.example", "192.0.2.1")


def server(shown: Signed = PBX, versions: str = "automatic") -> TlsChannel:
    identity = Identity(shown.certificate, Secret(shown.key))
    return Tls.server(identity, versions).accept()


def client(
    name: str = "pbx.example",
    versions: str = "automatic",
    *,
    trusts: str = OURS.certificate,
    verify: bool = True,
) -> TlsChannel:
    return Tls.client(None, versions, authorities=trusts, verify=verify).connect(name)


def shake(a: TlsChannel, b: TlsChannel, *, piece: int = 65536) -> None:
    """Carry bytes to and fro, so many at once, until both have nothing more to say."""
    a.begin()
    b.begin()
    from_a, from_b = a.outgoing(), b.outgoing()
    while from_a or from_b:
        for data, to in ((from_a, b), (from_b, a)):
            for at in range(0, len(data), piece):
                assert to.receive(data[at : at + piece]) == []
        from_a, from_b = a.outgoing(), b.outgoing()


def complaint(a: TlsChannel, b: TlsChannel) -> str:
    """What one of two ends says against the other, and ends it for."""
    with pytest.raises(RemoteProtocolError) as caught:
        shake(a, b)
    return str(caught.value)


# --- trust -------------------------------------------------------------------------------------


@pytest.mark.parametrize("versions", ["automatic", "1.2", "1.3"])
@pytest.mark.parametrize("piece", [1, 65536])
def test_who_is_trusted_is_spoken_to(versions: str, piece: int) -> None:
    a, b = client(versions=versions), server()
    shake(a, b, piece=piece)
    assert a.open
    assert b.open

    a.send(b"question")
    assert b.receive(a.outgoing()) == [b"question"]
    b.send(b"answer" * 5000)
    assert b"".join(a.receive(b.outgoing())) == b"answer" * 5000
    b.close()
    assert a.receive(b.outgoing()) == []
    assert a.ended


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["sip:pbx.example"], "pbx.example"),
        (["sip:pbx.example", "host.elsewhere"], "PBX.example."),
        (["pbx.example"], "pbx.example"),
        (["*.pbx.example"], "a.pbx.example"),
        (["192.0.2.1"], "192.0.2.1"),
        (["2001:db8::1"], "2001:DB8:0::1"),
        (["xn--hndelser-0za.example"], "Händelser.example"),
    ],
)
def test_whom_a_certificate_is_for(names: list[str], wanted: str) -> None:
    """RFC 5922 §7.1, §7.2; addresses as well, and wildcards by deviation."""
    a = client(wanted)
    shake(a, server(OURS.sign(*names)))
    assert a.open


@pytest.mark.parametrize(
    ("names", "common_name", "wanted", "listed"),
    [
        (["pbx.example"], "", "192.0.2.1", "pbx.example"),
        (["pbx.example"], "", "other.example", "pbx.example"),
        (["sip:pbx.example", "host.example"], "", "host.example", "pbx.example"),
        (["sip:user@pbx.example"], "", "pbx.example", "nobody"),
        (["*.example"], "", "pbx.example", "*.example"),
        (["*.pbx.example"], "", "a.b.pbx.example", "*.pbx.example"),
        (["*.pbx.example"], "", "pbx.example", "*.pbx.example"),
        (["192.0.2.2"], "", "192.0.2.1", "192.0.2.2"),
        ([], "pbx.example", "pbx.example", "nobody"),
        (["a.example", "b.example", "c.example", "d.example"], "", "e.example", None),
    ],
)
def test_whom_it_is_not_for(
    names: list[str], common_name: str, wanted: str, listed: str | None
) -> None:
    """RFC 5922 §7.1: sip: URIs before DNS names, and never the common name."""
    shown = OURS.sign(*names, common_name=common_name or "unnamed")
    listed = listed or "a.example, b.example, c.example"
    words = f"its certificate is for {listed}, not for {wanted}"
    assert complaint(client(wanted), server(shown)) == words


@pytest.mark.parametrize("versions", ["1.2", "1.3"])
def test_why_somebody_is_not_trusted(versions: str) -> None:
    today = datetime.datetime.now(datetime.UTC)
    gone, coming = (today + datetime.timedelta(days=days) for days in (-3, 3))
    stranger = Authority("Somebody Else").sign("pbx.example")
    impostor = Authority().sign("pbx.example")  # of the same name as ours
    cases = [
        (OURS.sign("pbx.example", first_day=-9, last_day=-3), f"expired on {gone:%Y-%m-%d}"),
        (OURS.sign("pbx.example", first_day=3), f"is not valid before {coming:%Y-%m-%d}"),
        (stranger, "is signed by an authority that is not trusted: Somebody Else"),
        (impostor, "is signed by an authority that is not trusted: Test Authority"),
    ]
    for shown, words in cases:
        assert complaint(client(versions=versions), server(shown)) == f"its certificate {words}"


def test_one_that_is_signed_by_itself_is_trusted_by_whoever_was_given_it() -> None:
    alone = Authority("pbx.example")
    shown = Signed(alone.certificate, "")
    shown.key = _key_of(alone)
    assert complaint(client(), server(shown)) == (
        "its certificate is signed by itself and not trusted"
    )
    words = "its certificate is for nobody, not for pbx.example"
    assert complaint(client(trusts=alone.certificate), server(shown)) == words


def _key_of(authority: Authority) -> str:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = authority._key  # pyright: ignore[reportPrivateUsage]
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_a_server_that_was_given_itself_is_trusted_without_its_authority() -> None:
    a = client(trusts=PBX.certificate)
    shake(a, server())
    assert a.open


def test_without_verification_everybody_is_spoken_to() -> None:
    a = client("other.example", verify=False, trusts="")
    shake(a, server(Authority().sign("pbx.example", first_day=-9, last_day=-3)))
    assert a.open


def test_the_authorities_of_the_system_are_trusted_if_none_are_given() -> None:
    assert "not trusted: Test Authority" in complaint(client(trusts=""), server())


def test_the_whole_chain_is_shown() -> None:
    """An authority in the middle is sent along, as it stands in the setting."""
    middle = OURS.sign("pbx.example")
    a = client()
    shake(a, server(Signed(middle.certificate + OURS.certificate, middle.key)))
    assert a.open


# --- what is no TLS, or not ours ----------------------------------------------------------------


@pytest.mark.parametrize(("ours", "theirs"), [("1.3", "1.2"), ("1.2", "1.3")])
def test_a_version_that_the_other_side_cannot(ours: str, theirs: str) -> None:
    """The server says so first; what it has said tells the client."""
    a, b = client(versions=ours), server(versions=theirs)
    assert complaint(a, b) == f"it speaks no TLS {theirs}"

    with pytest.raises(RemoteProtocolError, match=f"it speaks no TLS {ours}"):
        a.receive(b.outgoing())


@pytest.mark.parametrize(
    "data", [b"SIP/2.0 400 Bad Request\r\n\r\n", b"HTTP/1.1 400 Bad\r\n\r\n", bytes(range(100))]
)
def test_somebody_who_speaks_no_tls(data: bytes) -> None:
    for end in (client(), server()):
        end.begin()
        with pytest.raises(RemoteProtocolError, match="it does not speak TLS"):
            end.receive(data)


@pytest.mark.parametrize("versions", ["1.2", "1.3"])
@pytest.mark.parametrize("name", ["Test Authority", "Somebody Else"])
def test_a_client_that_does_not_trust_us_is_understood(name: str, versions: str) -> None:
    a, b = client(versions=versions), server(Authority(name).sign("pbx.example"))
    complaint(a, b)
    with pytest.raises(RemoteProtocolError, match="it does not trust our certificate"):
        b.receive(a.outgoing())


def test_taking_leave_in_the_middle_of_the_handshake_harms_nothing() -> None:
    a = client()
    a.begin()
    a.close()
    assert a.outgoing()
    assert not a.open


@given(st.lists(st.binary(max_size=64), max_size=5), st.integers(0, 4000), st.binary(max_size=8))
@settings(max_examples=60, deadline=None)
def test_whatever_comes_only_one_error_does(pieces: list[bytes], cut: int, changed: bytes) -> None:
    a, b = client(), server()
    a.begin()
    hello = a.outgoing()
    data = hello[:cut] + changed + hello[cut + len(changed) :]
    try:
        for piece in (data, *pieces):
            b.receive(piece)
    except RemoteProtocolError:
        b.close()
    b.outgoing()


# --- settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("certificate", "key", "path"),
    [
        ("", PBX.key, "/sip/tls/certificate"),
        ("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n", PBX.key, "certificate"),
        (PBX.certificate, "", "/sip/tls/private_key: is no private key"),
        (PBX.certificate, OURS.sign().key, "/sip/tls/private_key: does not fit"),
    ],
)
def test_what_cannot_be_used_is_named(certificate: str, key: str, path: str) -> None:
    with pytest.raises(ConfigError, match=path):
        Tls.server(Identity(certificate, Secret(key)), "automatic")


def test_authorities_that_are_none_are_named() -> None:
    with pytest.raises(ConfigError, match="/sip/tls/authorities: is no certificate"):
        client(trusts="hello")
