"""Every URL that other programs know, and some of ours, asked by curl in every way it can sign in.

GEN-05, ACC-04, vapix §2.3 and §3; docs/vendor-api.md says the same in words.
"""

import hashlib
import http.client
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest

from sipstrobe.config.users import Role, make_user
from tests.interop.curl import Answer, curl, option
from tests.interop.device import Device, device, wait_until
from tests.support.authority import Authority
from tests.support.ports import free_port

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]  # passwords are hashed last of all

PASSWORDS = {"root": "first of all", "olga": "operator's secret", "victor": 'only "looking" \\o/'}
GROUPS = {
    "root": "admin:operator:viewer:ptz",
    "olga": "operator:viewer",
}
STATUS, SETTINGS = "/api/v1/status", "/api/v1/settings/web"
CALL = "/vapix/call?format=simple&action=axcall:"
FOLLOW = ("location",)
LEAST = {"": "victor", "viewer": "victor", "operator": "olga", "administrator": "root"}
BELOW = {"operator": "victor", "administrator": "olga"}


def method(name: str, version: str = "1") -> str:
    """The envelope of a JSON interface."""
    return json.dumps({"apiVersion": version, "context": "c", "method": name})


@dataclass(frozen=True, slots=True)
class Case:
    """least: the role that is needed, empty for none. answer: what is in it. status: of that.
    low: of the refusal of a lower role."""

    least: str
    path: str
    answer: str
    body: str = ""
    status: int = 200
    low: int = 401


CASES = (
    Case("", "/axis-cgi/apidiscovery.cgi", '"siren-and-light"', method("getApiList")),
    Case("", "/axis-cgi/systemready.cgi", '"needsetup":"no"', method("systemready")),
    Case(
        *("", "/axis-cgi/basicdeviceinfo.cgi", '"Brand":"sipstrobe"'),
        method("getAllUnrestrictedProperties"),
    ),
    Case("operator", "/axis-cgi/basicdeviceinfo.cgi", '"Soc":', method("getAllProperties")),
    Case("viewer", "/axis-cgi/usergroup.cgi", "viewer"),
    Case("administrator", "/axis-cgi/pwdgrp.cgi?action=get", 'digusers="root,olga,victor"'),
    Case("administrator", "/axis-cgi/pwdgrp.cgi", 'admin="root"', "action=get"),
    Case("viewer", "/axis-cgi/param.cgi?action=list&group=Brand.Brand", "root.Brand.Brand=sip"),
    Case("viewer", "/axis-cgi/param.cgi", "root.MediaClip.M34.", "action=list&group=MediaClip"),
    Case("viewer", "/axis-cgi/view/param.cgi?action=listdefinitions&group=Brand", "</group>"),
    Case("operator", "/axis-cgi/operator/param.cgi?action=list&group=Output", "root.Output."),
    Case("administrator", "/axis-cgi/admin/param.cgi?action=list&group=Output", "root.Output."),
    Case(
        *("operator", "/axis-cgi/param.cgi?action=update&AudioSource.A0.OutputGain=-3", "OK"),
    ),
    Case("operator", "/axis-cgi/siren_and_light.cgi", '"poeClass"', method("getCapabilities")),
    Case("operator", "/axis-cgi/mediaclip.cgi?action=stop", "OK\nstopping\n"),
    Case("operator", "/axis-cgi/mediaclip.cgi?action=stop", "OK\nstopping\n", "x"),
    Case("operator", "/axis-cgi/mediaclip.cgi?action=download&clip=34", "RIFF"),
    Case("viewer", "/axis-cgi/playclip.cgi?clip=34&volume=0", "OK\nplaying=34\n"),
    Case("viewer", "/axis-cgi/stopclip.cgi", "OK\nstopping\n"),
    Case("operator", "/axis-cgi/audio/transmit.cgi", "415", "x", 415),
    Case("operator", "/axis-cgi/audio/receive.cgi?audiocodec=aac", "415", status=415),
    Case("operator", "/axis-cgi/virtualinput/activate.cgi?schemaversion=1&port=7", "StateChanged"),
    Case("operator", "/axis-cgi/virtualinput/deactivate.cgi?schemaversion=1&port=8", "State"),
    Case("operator", "/axis-cgi/virtualinput/getschemaversions.cgi", "SchemaVersion"),
    Case("viewer", "/axis-cgi/io/port.cgi?checkactive=1,2", "port1="),
    Case("viewer", "/axis-cgi/io/input.cgi?check=1", "port1="),
    Case("viewer", "/axis-cgi/io/output.cgi?check=2", "port2="),
    Case("viewer", "/axis-cgi/io/virtualinput.cgi?action=9:/", "there is no port 9", status=400),
    Case("viewer", "/axis-cgi/io/portmanagement.cgi", '"numberOfPorts":2', method("getPorts")),
    Case("operator", "/axis-cgi/supervisedio.cgi", '"inputs"', method("getNumberOfPorts", "2.0")),
    Case("administrator", "/axis-cgi/mqtt/client.cgi", '"status"', method("getClientStatus")),
    Case(
        "administrator", "/axis-cgi/mqtt/event.cgi", '"data"', method("getEventPublicationConfig")
    ),
    Case("operator", "/vapix/call", '"MediaEncryption"', '{"axcall:GetServiceCapabilities":{}}'),
    Case("operator", f"{CALL}GetSIPAccounts", 'SIPAccount_0_Id="sip_account_0"'),
    Case("administrator", f"{CALL}RemoveSIPAccount&SIPAccountId=nobody", ""),
    Case("viewer", "/config/discover", '"audio-multicast-ctrl"'),
    Case("viewer", "/config/rest/$all", '"status":"success"'),
    Case("administrator", "/config/rest/audio-multicast-ctrl/v1beta", '"audioCodec"', low=403),
    Case("viewer", STATUS, '"functions"'),
    Case("operator", "/api/v1/commands/stop-clip", '"result"', "{}"),
    Case("administrator", "/api/v1/users", '"victor"'),
)


@dataclass(frozen=True, slots=True)
class House:
    """A device that has been set up by curl."""

    device: Device
    folder: Path
    https: int
    authority: Path  # its certificate

    def url(self, path: str, scheme: str = "http") -> str:
        if scheme == "http":
            return option("url", f"http://127.0.0.1:{self.device.http}{path}")
        return option("url", f"https://siren.example:{self.https}{path}")

    def by_name(self) -> tuple[str, str]:
        """Trusting the authority that has signed its certificate, and nobody else."""
        there = f"siren.example:{self.https}:127.0.0.1"
        return option("cacert", str(self.authority)), option("resolve", there)

    def ask(self, name: str, requests: list[list[str]]) -> list[Answer]:
        return curl(self.folder / name, requests)

    def one(self, path: str, *options: str, scheme: str = "http") -> Answer:
        safe = self.by_name() if scheme == "https" else ()
        return self.ask("one", [[self.url(path, scheme), *safe, *options]])[0]


def sign_in(way: str, name: str, password: str = "") -> tuple[str, str]:
    return option(way), option("user", f"{name}:{password or PASSWORDS[name]}")


def form(**fields: str) -> str:
    return option("data", urlencode(fields))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """GEN-03 as control programs do it: the first account by anybody, the others by it."""
    folder, https = tmp_path_factory.mktemp("curl"), free_port()
    authority = Authority()
    (folder / "ca.pem").write_text(authority.certificate)
    served = ("--https", f"127.0.0.1:{https}")
    lenient = ("--set", '/web/brute_force={"enabled":false}')
    with device(folder, *served, *lenient, demo=False, sound="null", light=False) as running:
        house = House(running, folder, https, folder / "ca.pem")
        set_up(house)
        certify(house, authority)
        yield house


def set_up(house: House) -> None:
    pwdgrp, ready = "/axis-cgi/pwdgrp.cgi", option("data", method("systemready"))
    assert '"needsetup":"yes"' in house.one("/axis-cgi/systemready.cgi", ready).text
    early = house.one(pwdgrp + "?action=get", *sign_in("anyauth", "root"))
    assert (early.status, "must be created first" in early.text) == (401, True)
    for name, groups in GROUPS.items():
        new = {"action": "add", "user": name, "pwd": PASSWORDS[name], "sgrp": groups}
        by = sign_in("digest", "root") if name != "root" else ()
        answer = house.one(pwdgrp, option("data", urlencode(new)), *by)
        assert f"Created account {name}." in answer.text
    victor = make_user("victor", Role.VIEWER, PASSWORDS["victor"])
    digests = {"ha1_md5": victor.ha1_md5.reveal(), "ha1_sha256": victor.ha1_sha256.reveal()}
    house.device.set("/web/users/-", {"name": victor.name, "role": victor.role, **digests})


def certify(house: House, authority: Authority) -> None:
    """HTT-04: a certificate that an authority has signed, shown from then on."""
    signed = authority.sign("siren.example")
    new = {"name": "Ours", "pem": signed.certificate + signed.key}
    by = sign_in("digest", "root")
    made = house.one("/api/v1/certificates", option("data", json.dumps(new)), *by)
    assert made.status == 201, made.text
    chosen = option("data", json.dumps({"certificate": "Ours"}))
    patch = (option("request", "PATCH"), chosen, *by)
    assert house.one("/api/v1/settings/web", *patch).status == 200
    basic = sign_in("basic", "root")  # of those that are not proven yet, four may wait
    assert house.one(STATUS, *basic, scheme="https").status == 200


def asked(case: Case, house: House, scheme: str, *by: str) -> list[str]:
    safe = house.by_name() if scheme == "https" else ()
    body = (option("data", case.body),) if case.body else ()
    return [house.url(case.path, scheme), *safe, *body, *by]


@pytest.mark.parametrize(
    ("way", "scheme"),
    [
        ("digest", "http"),
        ("digest", "https"),
        ("basic", "https"),
        ("anyauth", "http"),
        ("anyauth", "https"),
    ],
)
def test_whoever_may_gets_an_answer(house: House, way: str, scheme: str) -> None:
    """ACC-04: with the least role that the table says; Basic over TLS as administrator."""
    names = ["root" if way == "basic" else LEAST[case.least] for case in CASES]
    signed_in = [sign_in(way, name) for name in names]
    requests = [asked(c, house, scheme, *by) for c, by in zip(CASES, signed_in, strict=True)]

    for case, answer in zip(CASES, house.ask(f"{way} {scheme}", requests), strict=True):
        assert (answer.status, case.path) == (case.status, case.path), answer.text
        assert case.answer in answer.text, case.path


@pytest.mark.parametrize(
    ("who", "by"),
    [
        ("nobody", ()),
        ("a wrong password", sign_in("digest", "root", "guessed")),
        ("a name that nobody has", sign_in("anyauth", "eve", "guessed")),
        ("a password that everybody can read", sign_in("basic", "root")),
    ],
)
def test_whoever_proves_nothing_is_refused_where_an_account_is_needed(
    house: House, who: str, by: tuple[str, ...]
) -> None:
    """ACC-01, and vapix §3.1: Basic is refused without TLS, though name and password are right."""
    requests = [asked(case, house, "http", *by) for case in CASES]

    for case, answer in zip(CASES, house.ask(who, requests), strict=True):
        wanted = 401 if case.least else case.status
        assert (answer.status, case.path) == (wanted, case.path), answer.text


def test_a_lower_role_is_refused_as_these_programs_expect(house: House) -> None:
    """vapix §2.3: 401 again; of the newer framework 403 with code 2001."""
    above = [case for case in CASES if case.least in BELOW]
    requests = [asked(c, house, "http", *sign_in("digest", BELOW[c.least])) for c in above]

    for case, answer in zip(above, house.ask("low", requests), strict=True):
        assert (answer.status, case.path) == (case.low, case.path), answer.text


def test_a_wrong_password_over_tls_is_refused_whatever_is_asked(house: House) -> None:
    """ACC-01: nobody finds out a password where none is needed."""
    wrong = sign_in("basic", "root", "guessed")
    assert house.one("/axis-cgi/apidiscovery.cgi", *wrong, scheme="https").status == 401


def test_who_trusts_nobody_but_the_authority_hears_nobody_else(house: House) -> None:
    """HTT-04: --cacert; and by another name there is no answer at all."""
    by_address = option("url", f"https://127.0.0.1:{house.https}{STATUS}")
    trusting = option("cacert", str(house.authority))
    by = sign_in("digest", "victor")
    url = house.url(STATUS, "https")

    right, no_trust, other_name = house.ask(
        "trust",
        [[url, *house.by_name(), *by], [url, house.by_name()[1], *by], [by_address, trusting, *by]],
    )
    assert right.status == 200
    assert (no_trust.status, other_name.status) == (0, 0)


def test_where_https_is_wanted_people_are_led_there_and_programs_told(house: House) -> None:
    """PRB-01, HTT-01: a page that explains, and no password is looked at."""
    patch = (option("request", "PATCH"), *sign_in("digest", "root"))
    https_only, both = (
        (*patch, option("data", json.dumps({"mode": m}))) for m in ("https", "both")
    )
    person = option("header", "Accept: text/html")
    try:
        assert house.one(SETTINGS, *https_only, scheme="https").status == 200
        wait_until(lambda: house.one("/", person).status == 308)
        page = house.one("/", person)
        led = house.ask("led", [[house.url("/"), person, *FOLLOW, option("insecure")]])[0]
        told = house.one(STATUS, *sign_in("anyauth", "victor"))
    finally:
        assert house.one(SETTINGS, *both, scheme="https").status == 200

    there = f"https://127.0.0.1:{house.https}"
    assert f'href="{there}/"' in page.text
    assert (led.status, "<title>" in led.text) == (200, True)
    assert told.status == 403
    assert json.loads(told.text)["location"] == there + STATUS
    assert json.loads(told.text)["code"] == "https_required"
    wait_until(lambda: house.one(STATUS, *sign_in("digest", "victor")).status == 200)


class Overheard:
    """A program that answers challenges by hand, so that an answer can be sent twice."""

    def __init__(self, port: int, algorithm: str) -> None:
        self.algorithm = algorithm
        self._port = port
        self.nonce = self.challenge()

    def get(self, authorization: str = "") -> tuple[int, str]:
        """The status, and the first challenge."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        headers = {"Authorization": authorization} if authorization else {}
        connection.request("GET", STATUS, headers=headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, answer.getheader("WWW-Authenticate", "")

    def challenge(self) -> str:
        """Another nonce."""
        return re.findall(r'nonce="([^"]+)"', self.get()[1])[0]

    def answer(self, count: int, name: str = "victor", nonce: str = "") -> str:
        """RFC 7616 §3.4.1; a count of 0: as in RFC 2069, without qop."""
        nonce = nonce or self.nonce
        secret = self._hash(f"{name}:sipstrobe:{PASSWORDS[name]}")
        asked = self._hash(f"GET:{STATUS}")
        counted = f"{count:08x}:c:auth:" if count else ""
        proof = self._hash(f"{secret}:{nonce}:{counted}{asked}")
        more = f', qop=auth, nc={count:08x}, cnonce="c"' if count else ""
        return (
            f'Digest username="{name}", realm="sipstrobe", nonce="{nonce}", uri="{STATUS}",'
            f' algorithm={self.algorithm}, response="{proof}"{more}'
        )

    def _hash(self, text: str) -> str:
        return hashlib.new(self.algorithm.replace("-", ""), text.encode()).hexdigest()


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_an_answer_that_was_overheard_opens_nothing(house: House, algorithm: str) -> None:
    """RFC 7616 §3.3 (stale) and §3.4 (nc): over real HTTP, by hand."""
    victor = Overheard(house.device.http, algorithm)
    first = victor.answer(1)

    assert victor.get(first)[0] == 200
    status, challenge = victor.get(first)
    assert (status, "stale=true" in challenge) == (401, True)
    assert victor.get(victor.answer(2))[0] == 200, "the next count of the same nonce is good"
    assert victor.get(victor.answer(0, nonce=victor.challenge()))[0] == 200
    forged = victor.nonce[:-4] + ("AAA=" if not victor.nonce.endswith("AAA=") else "BBB=")
    status, challenge = victor.get(victor.answer(3, nonce=forged))
    assert (status, "stale=true" in challenge) == (401, True)
    status, challenge = victor.get(victor.answer(4).replace('"victor"', '"olga"'))
    assert (status, "stale=true" in challenge) == (401, False), "that is a wrong password"
