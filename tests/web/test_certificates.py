"""Certificates over the API: brought, made, asked for, used and deleted (CRT-01, HTT-04)."""

import asyncio
import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from sipstrobe.config.certificates import MAX_CERTIFICATES, OWN, sip_with
from sipstrobe.config.store import Store
from sipstrobe.errors import ConfigError
from sipstrobe.io.certificate_files import MAX_CHAIN
from sipstrobe.io.identity import fingerprint
from sipstrobe.web.certificates import PATH
from sipstrobe.web.server import WebServer
from sipstrobe.web.told.certificates import MAX_NAMES
from tests.support.authority import Authority, Signed
from tests.support.visitor import Visitor
from tests.support.web import USERS, Device

AT = PATH.removeprefix("/api/v1")
AUTHORITY = Authority()
GOOD = AUTHORITY.sign("siren.example", "192.0.2.7", common_name="siren.example")


@pytest.fixture
async def ada(server: WebServer) -> Visitor:
    ada = Visitor(server)
    assert await ada.log_in("ada") == 200
    return ada


def locked(signed: Signed, password: str) -> str:
    key = load_pem_private_key(signed.key.encode(), None)
    way = BestAvailableEncryption(password.encode())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, way).decode()


def pfx(signed: Signed, password: str, *above: str) -> str:
    key = load_pem_private_key(signed.key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    own, *others = (
        x509.load_pem_x509_certificate(pem.encode()) for pem in (signed.certificate, *above)
    )
    way = BestAvailableEncryption(password.encode())
    data = pkcs12.serialize_key_and_certificates(b"siren", key, own, others, way)
    return base64.b64encode(data).decode()


async def names(visitor: Visitor) -> list[str]:
    return [told["name"] for told in (await visitor.ask("GET", AT))[1]["certificates"]]


# --- bringing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given",
    [
        {"pem": GOOD.certificate, "key": GOOD.key},
        {"pem": GOOD.key + AUTHORITY.certificate + GOOD.certificate},
        {"pem": GOOD.certificate, "key": locked(GOOD, "open"), "password": "open"},
        {"pfx": pfx(GOOD, "open", AUTHORITY.certificate), "password": "open"},
    ],
    ids=["two texts", "one text in any order", "an encrypted key", "PKCS #12"],
)
async def test_a_certificate_is_brought_in_every_form(
    ada: Visitor, device: Device, given: dict[str, str]
) -> None:
    status, told = await ada.ask("POST", AT, {"name": "Office", **given})

    assert status == 201
    assert ada.headers["Location"] == f"{PATH}/Office"
    assert (told["name"], told["state"], told["key_type"]) == ("Office", "ready", "P-256")
    assert (told["subject"], told["issuer"]) == ("CN=siren.example", "CN=Test Authority")
    assert told["names"] == ["siren.example", "192.0.2.7"]
    assert told["fingerprint_sha256"] == fingerprint(GOOD.certificate)
    assert (told["self_signed"], told["used_by"], told["warnings"]) == (
        *(False, []),
        [f"it expires on {told['valid_to'][:10]}"],
    )
    above = given.get("pem", AUTHORITY.certificate).count("BEGIN CERT") + ("pfx" in given) - 1
    assert told["chain"] == ["CN=Test Authority"] * above
    [kept] = device.store.current.certificates
    assert kept.certificate.startswith(GOOD.certificate.strip()), "its own comes first"


async def test_a_browser_sends_a_form(ada: Visitor, server: WebServer) -> None:
    parts = {"name": b"Form", "password": b"open", "file": base64.b64decode(pfx(GOOD, "open"))}
    body = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\n\r\n%b\r\n'
        % (name.encode(), b"f" if name == "file" else b"", content)
        for name, content in parts.items()
    )
    asked = ada.request("POST", PATH)
    headers = {**asked.headers, "content-type": "multipart/form-data; boundary=x"}

    answer = await server.respond(replace(asked, headers=headers, body=body + b"--x--\r\n"))

    assert answer.status == 201
    assert await names(ada) == [OWN, "Form"]


def foreign_key(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


WEAK = foreign_key(rsa.generate_private_key(65537, 1024))
OTHER = AUTHORITY.sign("other.example")


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({}, "pem", "give one of"),
        ({"pem": "x", "pfx": "eA=="}, "pem", "give one of"),
        ({"pem": "nothing", "key": GOOD.key}, "pem", "no certificate"),
        ({"pem": GOOD.certificate}, "key", "is missing"),
        ({"pem": GOOD.certificate, "key": OTHER.key}, "key", "does not belong"),
        ({"pem": GOOD.certificate, "key": GOOD.key.replace("M", "N", 3)}, "key", "damaged"),
        ({"pem": GOOD.certificate, "key": locked(GOOD, "a")}, "password", "encrypted"),
        (
            {"pem": GOOD.certificate, "key": locked(GOOD, "a"), "password": "b"},
            "password",
            "wrong",
        ),
        ({"pem": GOOD.certificate, "key": WEAK}, "key", "2048"),
        (
            {
                "pem": GOOD.certificate,
                "key": foreign_key(ed25519.Ed25519PrivateKey.generate()),
            },
            "key",
            "P-256",
        ),
        ({"pem": GOOD.certificate + OTHER.certificate, "key": GOOD.key}, "pem", "lead"),
        (
            {"pem": GOOD.certificate * (MAX_CHAIN + 1), "key": GOOD.key},
            "pem",
            str(MAX_CHAIN),
        ),
        ({"pfx": "?"}, "pfx", "Base64"),
        ({"pfx": "eA=="}, "pfx", "PKCS #12"),
        ({"pfx": pfx(GOOD, "a"), "password": "b"}, "password", "wrong"),
        ({"self_signed": {"names": ["a b"]}}, "self_signed.names[0]", ""),
        ({"self_signed": {"names": ["a"] * (MAX_NAMES + 1)}}, "self_signed.names", ""),
        ({"self_signed": {"days": 4000}}, "self_signed.days", "3650"),
    ],
)
async def test_what_is_of_no_use_is_refused_at_its_field(
    ada: Visitor, given: dict[str, object], field: str, words: str
) -> None:
    status, told = await ada.ask("POST", AT, {"name": "Office", **given})

    assert status == 400
    assert told["field"] == field
    assert words in told["detail"]
    assert GOOD.key.splitlines()[1] not in str(told)
    assert await names(ada) == [OWN]


async def test_one_that_is_over_or_for_nobody_is_taken_with_a_warning(ada: Visitor) -> None:
    old = AUTHORITY.sign(common_name="x", first_day=-9, last_day=-2)

    _, told = await ada.ask("POST", AT, {"name": "Old", "pem": old.certificate, "key": old.key})

    assert len(told["warnings"]) == 2
    assert "expired on" in told["warnings"][0]
    assert "for no name" in told["warnings"][1]


async def test_a_name_is_given_once_and_there_is_an_end_to_them(
    ada: Visitor, device: Device
) -> None:
    given = {"pem": GOOD.certificate, "key": GOOD.key}
    for name in (OWN, "csr"):
        assert (await ada.ask("POST", AT, {"name": name, **given}))[1]["code"] == "name_taken"
    assert (await ada.ask("POST", AT, {"name": "a/b", **given}))[0] == 422

    for n in range(MAX_CERTIFICATES):
        assert (await ada.ask("POST", AT, {"name": f"c{n}", **given}))[0] == 201
    assert (await ada.ask("POST", AT, {"name": "c0", **given}))[1]["code"] == "name_taken"
    status, told = await ada.ask("POST", AT, {"name": "more", **given})

    assert (status, told["problems"][0]["path"]) == (422, "/certificates")
    assert len(device.store.current.certificates) == MAX_CERTIFICATES


async def test_two_at_once_wait_for_nobody_s_patience(ada: Visitor) -> None:
    """To read a file may be made to take long: it has one thread and no more."""
    given = {"pem": GOOD.certificate, "key": GOOD.key}
    bodies = [{"name": name, **given} for name in ("one", "two")]

    answers = await asyncio.gather(*(ada.ask("POST", AT, body) for body in bodies))

    assert sorted(status for status, _ in answers) == [201, 409]
    assert [told["code"] for status, told in answers if status == 409] == ["busy"]


# --- made and asked for -------------------------------------------------------------------------


async def test_one_is_made_for_the_names_that_are_given(ada: Visitor) -> None:
    wanted = {"name": "Mine", "self_signed": {"names": ["siren.example", "::1"], "days": 100}}

    status, told = await ada.ask("POST", AT, wanted)

    assert (status, told["self_signed"]) == (201, True)
    assert told["names"] == ["siren.example", "::1"]
    lasts = datetime.fromisoformat(told["valid_to"]) - datetime.now(UTC)
    assert timedelta(days=99) < lasts <= timedelta(days=100)


@pytest.mark.parametrize("kind", ["P-256", "RSA-2048"])
async def test_a_certificate_is_asked_for_and_comes_back_signed(
    ada: Visitor, server: WebServer, device: Device, kind: str
) -> None:
    wanted = {
        "name": "Asked", "names": ["siren.example"], "key_type": kind, "organization": "Org",
        "country": "DE",
    }  # fmt: skip
    status, told = await ada.ask("POST", f"{AT}/csr", wanted)
    assert (status, told["state"], told["key_type"]) == (201, "requested", kind)
    assert told["subject"] == "CN=siren.example,O=Org,C=DE"
    assert (await ada.ask("GET", f"{AT}/Asked/pem"))[0] == 404

    answer = await server.respond(ada.request("GET", f"{PATH}/Asked/csr"))
    asked = x509.load_pem_x509_csr(answer.body)
    signing = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(asked.subject)
        .issuer_name(asked.subject)
        .public_key(asked.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=60))
        .sign(signing, SHA256())
    )
    wrong = await ada.ask("PUT", f"{AT}/Asked/signed", {"pem": GOOD.certificate})
    assert (wrong[0], wrong[1]["field"]) == (400, "key")
    pem = signed.public_bytes(Encoding.PEM)
    sent = ada.request("PUT", f"{PATH}/Asked/signed")
    done = await server.respond(replace(sent, body=pem))

    assert done.status == 200
    assert (await ada.ask("GET", f"{AT}/Asked"))[1]["state"] == "ready"
    assert (await server.respond(ada.request("GET", f"{PATH}/Asked/pem"))).body == pem
    [kept] = device.store.current.certificates
    assert kept.private_key.reveal().startswith("-----BEGIN PRIVATE KEY-----")


# --- used, and given out ------------------------------------------------------------------------


async def test_one_that_is_shown_stays_and_says_by_what(ada: Visitor, device: Device) -> None:
    await ada.ask("POST", AT, {"name": "Office", "pem": GOOD.certificate, "key": GOOD.key})
    used = {"web": {"certificate": "Office"}, "sip": {"tls": {"certificate": "Office"}}}
    device.store.change_now(used)

    status, told = await ada.ask("DELETE", f"{AT}/Office")

    needed = ["/web/certificate", "/sip/tls/certificate"]
    assert (status, told["code"], told["used_by"]) == (409, "in_use", needed)
    assert (await ada.ask("GET", f"{AT}/Office"))[1]["used_by"] == needed
    shown = sip_with(device.store.current.certificates, device.store.current.sip).tls
    assert shown.certificate.startswith(GOOD.certificate.strip())
    assert load_pem_private_key(shown.private_key.reveal().encode(), None)

    device.store.change_now({"web": {"certificate": OWN}, "sip": {"tls": {"certificate": OWN}}})
    assert (await ada.ask("DELETE", f"{AT}/Office"))[0] == 204
    assert not sip_with((), device.store.current.sip).tls.certificate, "that of its own making"


async def test_another_takes_its_place_under_the_same_name(ada: Visitor) -> None:
    """As a program does that renews certificates."""
    await ada.ask("PUT", f"{AT}/Office", {"pem": GOOD.certificate, "key": GOOD.key})
    status, told = await ada.ask(
        "PUT", f"{AT}/Office", {"pem": OTHER.certificate, "key": OTHER.key}
    )

    assert (status, told["names"]) == (200, ["other.example"])
    assert await names(ada) == [OWN, "Office"]


async def test_the_one_of_the_device_is_always_there(ada: Visitor, server: WebServer) -> None:
    for method, path, body in (
        ("DELETE", OWN, None),
        ("PUT", OWN, {"pem": GOOD.certificate, "key": GOOD.key}),
    ):
        assert (await ada.ask(method, f"{AT}/{path}", body))[1]["code"] == "built_in"

    told = (await ada.ask("GET", f"{AT}/{OWN}"))[1]
    pem = (await server.respond(ada.request("GET", f"{PATH}/{OWN}/pem"))).body

    assert (told["built_in"], told["self_signed"]) == (True, True)
    assert told["used_by"] == ["/web/certificate", "/sip/tls/certificate"]
    assert pem.startswith(b"-----BEGIN CERTIFICATE-----")
    assert (await ada.ask("GET", f"{AT}/{OWN}/csr"))[1]["code"] == "no_request"
    assert (await ada.ask("GET", f"{AT}/none"))[1]["code"] == "unknown_certificate"


async def test_a_key_goes_in_and_never_out(
    ada: Visitor, server: WebServer, device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await ada.ask("POST", AT, {"name": "Office", "pem": GOOD.certificate, "key": GOOD.key})
    await ada.ask("POST", f"{AT}/csr", {"name": "Asked"})
    told = ""
    for path in ("", "/Office", "/Office/pem", "/Asked", "/Asked/csr", f"/{OWN}/pem"):
        told += (await server.respond(ada.request("GET", PATH + path))).body.decode()
    for path in ("/settings", "/settings/certificates"):
        told += str(await ada.ask("GET", path))

    keys = [one.private_key.reveal() for one in device.store.current.certificates]
    for secret in ("PRIVATE", *(key.splitlines()[1] for key in keys)):
        assert secret not in told
        assert secret not in caplog.text
        assert secret not in repr(device.store.current)


def test_the_settings_show_only_what_there_is(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    for shown, words in (("None", "there is no"), ("Asked", "only been asked for")):
        asked = {"name": "Asked", "private_key": "x", "request": "y"}
        with pytest.raises(ConfigError) as wrong:
            store.change_now({"certificates": [asked], "web": {"certificate": shown}})
        assert wrong.value.problems[0].path == "/web/certificate"
        assert words in wrong.value.problems[0].message
    store.change_now({"web": {"users": USERS, "port": 8443}})
    assert store.current.web.https_port == 8443, "whoever had it for HTTP keeps it"
    with pytest.raises(ConfigError):
        store.change_now({"web": {"https_port": 9000, "port": 9000}})
    store.close()
