"""Calls through a router that translates addresses, with each of the helps there are: what the
caller says is heard in the device, and the greeting in the phone."""

import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.interop.baresip import Baresip, baresip
from tests.interop.device import LATE, Device, device, wait_until
from tests.interop.kamailio import Kamailio, kamailio, registered_until
from tests.interop.nat import (
    PRIVATE,
    PUBLIC,
    ROUTER,
    TURN_PASSWORD,
    TURN_USER,
    Nat,
    coturn,
    igd,
    opened,
    translating,
)
from tests.interop.test_registered import account
from tests.interop.tones import TONE_DB, write_tone
from tests.support.authority import Authority
from tests.support.hear import Samples, level_db, tone_db

pytestmark = pytest.mark.interop

VOICE, GREETING = 1000.0, 600.0  # hertz: what the phone says and the device
SECONDS = 0.8  # of each call that are listened to
SETTLED = 0.5  # seconds until sound has found its way
HEARD_DB = TONE_DB - 3  # how well is told elsewhere, and a busy machine leaves gaps
SILENT_DB = -70.0  # µ-law's smallest step is at −72 dB
STUN = {"stun": True, "stun_server": f"{PUBLIC}:3478"}


def turn(transport: str = "udp") -> dict[str, Any]:
    server = {
        "address": PUBLIC,
        "transport": transport,
        "user": TURN_USER,
        "password": TURN_PASSWORD,
    }
    return {"turn": True, "turn_servers": [server]}


@dataclass
class Scene:
    """A device in the private network, registered with a server in the public one."""

    nat: Nat
    device: Device
    pbx: Kamailio
    folder: Path
    voice: Path
    calls: int = 0

    def help_by(self, helps: dict[str, Any], *, symmetric: bool = False) -> None:
        """From now on with these settings, and this kind of translation."""
        self.nat.translate(symmetric=symmetric)
        self.device.set("/sip/nat", helps)

    @contextmanager
    def phone(self, *, registered: bool = True, **settings: Any) -> Generator[Baresip]:
        """A phone in the public network; the story goes on in the private one."""
        self.calls += 1
        registrar = self.pbx.place if registered else ""
        settings |= {"host": PUBLIC, "registrar": registrar, "record": True}
        folder = self.folder / f"phone{self.calls}"
        with (
            self.nat.public.inside(),
            baresip(folder, source=self.voice, **settings) as phone,
            self.nat.private.inside(),
        ):
            if registered:
                wait_until(lambda: self.registers(phone), words="the phone is registered")
            yield phone

    def registers(self, phone: Baresip) -> bool:
        """The phone is registered, and none of those before it."""
        [*found] = self.pbx.contacts("tester")
        return len(found) == 1 and f":{phone.port}" in found[0]


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nat-tones")
    write_tone(folder / "voice.wav", [VOICE])
    write_tone(folder / "greeting.wav", [GREETING])
    return folder


@pytest.fixture(scope="module")
def scene(tones: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Scene]:
    folder = tmp_path_factory.mktemp("nat")
    authority = Authority()
    accounts: list[dict[str, Any]]
    with (
        translating() as nat,
        nat.public.inside(),
        coturn(folder / "turn", authority.sign(PUBLIC)),
        kamailio(folder / "pbx", host=PUBLIC) as pbx,
        nat.private.inside(),
    ):
        accounts = [account(pbx) | {"default": True}, {"name": "direct", "user_id": "direct"}]
        options = [
            f"/sip/accounts={json.dumps(accounts)}",
            f"/sip/tls/authorities={json.dumps(authority.certificate)}",
            f"/audio/greeting={json.dumps(str(tones / 'greeting.wav'))}",
        ]
        puts = [part for one in options for part in ("--set", one)]
        with device(folder / "device", *puts) as running:
            registered_until(pbx, "u1")
            yield Scene(nat, running, pbx, folder, tones / "voice.wav")


def listen(phone: Baresip, device: Device) -> tuple[Samples, Samples]:
    """What both sides hear for a while in a call that has just begun; then the phone hangs up."""
    time.sleep(SETTLED)
    began = time.monotonic()
    time.sleep(SECONDS)
    heard = device.heard(began, began + SECONDS)
    phone.hang_up()
    device.wait_idle()
    return heard, phone.heard()[-round(SECONDS * 8000) :]


def voice_db(sound: Samples, hertz: float, rate: int = 48000) -> float:
    """The level of most of its 50 ms pieces: where the jitter buffer joins, the phase jumps."""
    size = rate // 20
    pieces = sound[: len(sound) // size * size].reshape(-1, size)
    return float(np.median([tone_db(piece, hertz, rate) for piece in pieces]))


def assert_both_hear(phone: Baresip, device: Device) -> None:
    heard, by_phone = listen(phone, device)

    assert voice_db(heard, VOICE) > HEARD_DB
    assert voice_db(by_phone, GREETING, 8000) > HEARD_DB


# --- without help ------------------------------------------------------------------------------


def test_a_phone_behind_the_router_is_heard_and_hears(scene: Scene, tones: Path) -> None:
    """Its SDP names an address that nobody can reach; we answer to where its packets come from
    (symmetric RTP, RFC 4961), as signalling does (RFC 3581), even through the worst router."""
    scene.nat.translate(symmetric=True)
    greeting = f"/audio/greeting={json.dumps(str(tones / 'greeting.wav'))}"
    folder = scene.folder
    with (
        scene.nat.public.inside(),
        device(folder / "public", "--set", greeting) as running,
        scene.nat.private.inside(),
        baresip(folder / "private", source=scene.voice, host=PRIVATE, record=True) as phone,
        scene.nat.public.inside(),
    ):
        phone.dial(running.uri("1099", PUBLIC))
        assert_both_hear(phone, running)


def test_without_help_a_phone_outside_is_not_heard(scene: Scene) -> None:
    """What the stories below are worth: it sends to the private address in our SDP, in vain."""
    scene.help_by({})
    with scene.phone() as phone:
        phone.dial(f"sip:u1@{scene.pbx.place}")
        heard, by_phone = listen(phone, scene.device)

    assert level_db(heard) < SILENT_DB
    assert voice_db(by_phone, GREETING, 8000) > HEARD_DB


# --- with help ---------------------------------------------------------------------------------

ICE = {"modules": ("ice",), "account": ";medianat=ice"}  # of the phone
EVERYTHING = {"ice": True} | STUN | turn()
FROM_OUTSIDE = [
    pytest.param(STUN, False, {}, id="stun"),
    pytest.param(turn("udp"), True, {}, id="turn-udp"),
    pytest.param(turn("tcp"), True, {}, id="turn-tcp"),
    pytest.param(turn("tls"), True, {}, id="turn-tls"),
    pytest.param({"ice": True} | STUN, False, ICE, id="ice-stun"),
    # A candidate that never answers, as that of STUN here, holds up baresip for eight seconds.
    pytest.param({"ice": True} | turn(), True, ICE, id="ice-turn-through-the-worst-router"),
    pytest.param(EVERYTHING, False, {}, id="everything-with-a-phone-that-has-nothing"),
]
TO_OUTSIDE = [
    pytest.param(STUN, False, {}, id="stun"),
    pytest.param(turn(), True, {}, id="turn"),
    pytest.param({"ice": True} | STUN, False, ICE, id="ice-stun"),
]


@pytest.mark.parametrize(("helps", "symmetric", "settings"), FROM_OUTSIDE)
def test_a_caller_outside_is_heard_and_hears(
    scene: Scene, helps: dict[str, Any], symmetric: bool, settings: dict[str, Any]
) -> None:
    scene.help_by(helps, symmetric=symmetric)
    with scene.phone(**settings) as phone:
        phone.dial(f"sip:u1@{scene.pbx.place}")
        assert_both_hear(phone, scene.device)


@pytest.mark.parametrize(("helps", "symmetric", "settings"), TO_OUTSIDE)
def test_somebody_outside_is_called_and_heard(
    scene: Scene, helps: dict[str, Any], symmetric: bool, settings: dict[str, Any]
) -> None:
    scene.help_by(helps, symmetric=symmetric)
    with scene.phone(**settings) as phone:
        scene.device.command("dial", uri="tester")
        phone.wait_for("CALL_ESTABLISHED")
        heard, by_phone = listen(phone, scene.device)

    assert voice_db(heard, VOICE) > HEARD_DB
    assert level_db(by_phone) < SILENT_DB  # we say nothing, and that has come
    assert len(by_phone) > SECONDS / 2 * 8000  # finding a way may have taken a while


@pytest.mark.parametrize("mnat", ["stun", "turn"])
def test_a_phone_with_help_of_its_own(scene: Scene, tones: Path, mnat: str) -> None:
    """Behind the router baresip names what STUN or TURN gave it; we need nothing."""
    scene.nat.translate(symmetric=mnat == "turn")
    server = f";medianat={mnat};stunserver={mnat}:{PUBLIC}:3478"
    settings = f"{server};stunuser={TURN_USER};stunpass={TURN_PASSWORD}"
    folder = scene.folder
    with (
        scene.nat.public.inside(),
        device(folder / f"for-{mnat}") as running,
        scene.nat.private.inside(),
        baresip(
            folder / f"by-{mnat}",
            source=scene.voice,
            host=PRIVATE,
            record=True,
            modules=(mnat,),
            account=settings,
        ) as phone,
        scene.nat.public.inside(),
    ):
        phone.dial(running.uri("1099", PUBLIC))
        heard, _ = listen(phone, running)

    assert voice_db(heard, VOICE) > HEARD_DB


def test_a_router_that_lets_others_in(scene: Scene) -> None:
    """UPnP: whoever knows the router's address calls us there, without any server; what was opened
    is closed again."""
    scene.nat.translate()
    with igd(scene.nat):
        scene.device.set("/sip/nat", {"upnp": True})
        port = scene.device.port
        wait_until(lambda: opened(scene.nat) == [port, port], words="the SIP port is open")
        wait_until(lambda: address_of(scene.device) == ROUTER, words="its address is known")
        with scene.phone(registered=False) as phone:
            phone.dial(f"sip:1099@{ROUTER}:{port}")
            assert len(opened(scene.nat)) == 4
            assert_both_hear(phone, scene.device)
        wait_until(lambda: opened(scene.nat) == [port, port], words="the ports of the call closed")
        [seen] = scene.device.status()["nat"]["servers"]
        assert (seen["kind"], seen["server"]) == ("UPnP", "Test Router")
        scene.device.set("/sip/nat", {})
        wait_until(lambda: opened(scene.nat) == [], words="all is closed")


def address_of(running: Device) -> str:
    """By which it is reached from outside, as far as it knows."""
    return next((str(seen["address"]) for seen in running.status()["nat"]["servers"]), "")


# --- servers that do not help ------------------------------------------------------------------


def test_a_server_that_does_not_answer_is_a_problem_and_calls_go_on(scene: Scene) -> None:
    """The call waits for it no longer than 1.5 s, and is as if there were none."""
    scene.help_by({"stun": True, "stun_server": f"{PUBLIC}:3999"})
    with scene.phone() as phone:
        began = time.monotonic()
        phone.dial(f"sip:u1@{scene.pbx.place}")
        assert time.monotonic() - began < LATE
        wait_until(lambda: "does not answer" in problem(scene.device), words="the problem")
        phone.hang_up()
        scene.device.wait_idle()

    scene.device.set("/sip/nat", {})
    wait_until(lambda: problem(scene.device) == "", words="no problem")


def test_a_wrong_password_is_a_problem(scene: Scene) -> None:
    helps = turn()
    helps["turn_servers"][0]["password"] = "wrong"
    scene.help_by(helps)

    wait_until(lambda: "name and password" in problem(scene.device), words="the problem")


def test_no_router_answers(scene: Scene) -> None:
    scene.help_by({"upnp": True})

    wait_until(lambda: problem(scene.device) == "UPnP: no router answers", words="the problem")


def problem(device: Device) -> str:
    return str(device.status()["services"].get("nat", ""))
