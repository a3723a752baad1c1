"""Registered with Kamailio: in words, through calls, through deaths of servers."""

import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.interop.baresip import baresip
from tests.interop.device import LATE, Device, device, wait_until
from tests.interop.kamailio import DOMAIN, Kamailio, kamailio, registered_until
from tests.support.authority import Authority

pytestmark = pytest.mark.interop

COLD_GAP = 2.0  # seconds without any registration that is promised when a server dies


def account(server: Kamailio, user: str = "u1", **other: Any) -> dict[str, Any]:
    return {
        "name": user,
        "kind": "registered",
        "user_id": user,
        "password": f"pw-{user}",
        "domain": DOMAIN,
        "registrar": server.place,
    } | other


@contextmanager
def registered(folder: Path, *accounts: dict[str, Any], **sip: Any) -> Generator[Device]:
    """A device with these accounts; the first is the default."""
    first, *rest = accounts
    settings = {"accounts": [first | {"default": True}, *rest]} | sip
    puts = [f"/sip/{name}={json.dumps(value)}" for name, value in settings.items()]
    options = [part for put in puts for part in ("--set", put)]
    with device(folder, *options, sound="null") as running:
        yield running


def standing(running: Device, name: str = "u1") -> dict[str, Any]:
    return next(r for r in running.status()["registrations"] if r["account"] == name)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_accounts_register_and_take_leave(tmp_path: Path, algorithm: str) -> None:
    """RFC 3261 §10 over UDP and TCP, RFC 8760."""
    with kamailio(tmp_path / "pbx", algorithm=algorithm) as pbx:
        udp, tcp = account(pbx), account(pbx, "u2", transport="tcp")
        wrong = account(pbx, "u3", password="secret")
        nobody = account(pbx, "nobody")
        with registered(tmp_path / "device", udp, tcp, wrong, nobody) as running:
            registered_until(pbx, "u1")
            registered_until(pbx, "u2")
            wait_until(lambda: standing(running, "nobody")["state"] == "failed")

            assert standing(running)["words"].startswith("registered until ")
            assert standing(running)["uri"] == f"sip:u1@{DOMAIN}"
            assert standing(running, "u3")["words"] == "wrong password"
            assert standing(running, "u3")["code"] == 401
            words = "the server does not know this user (404 Not Found)"
            assert standing(running, "nobody")["words"] == words
            assert len(pbx.contacts()) == 2
            running.stop()

            assert pbx.contacts() == []


def test_calls_go_both_ways_through_the_server(tmp_path: Path, silence: Path) -> None:
    """A phone registered there calls the device, and is called by it as a bare extension."""
    with (
        kamailio(tmp_path / "pbx") as pbx,
        baresip(tmp_path / "phone", source=silence, registrar=pbx.place) as phone,
        registered(tmp_path / "device", account(pbx), allow_incoming=True) as running,
    ):
        registered_until(pbx, "u1")
        registered_until(pbx, "tester")

        phone.dial(f"sip:u1@{pbx.place}")
        [call] = running.calls
        assert (call["account"], call["extension"], call["state"]) == ("u1", "u1", "active")
        phone.hang_up()
        running.wait_idle()

        running.command("dial", uri="tester")
        phone.wait_for("CALL_ESTABLISHED")
        [call] = running.calls
        assert call["remote_uri"] == f"sip:tester@{DOMAIN}"
        assert call["local_uri"] == f"sip:u1@{DOMAIN}"
        running.command("hang-up")
        phone.wait_for("CALL_CLOSED")


def test_encrypted_or_in_a_websocket(tmp_path: Path) -> None:
    """RFC 3261 §26, RFC 5922, RFC 7118: each its own connection, and who the server must be."""
    authority = Authority()
    with kamailio(tmp_path / "pbx", signed=authority.sign("127.0.0.1")) as pbx:
        transports = ("tls", "ws", "wss")
        accounts = [
            account(pbx, f"u{n}", transport=transport, registrar=pbx.place_for(transport))
            for n, transport in enumerate(transports)
        ]
        sips = account(pbx, "u7", transport="tls", registrar=pbx.place_for("tls"), sips=True)
        other = account(
            pbx,
            "u8",
            transport="tls",
            registrar=pbx.place_for("tls").replace("127.0.0.1", "localhost"),
        )
        trusting = {"authorities": authority.certificate}
        with registered(tmp_path / "device", *accounts, sips, other, tls=trusting) as running:
            for user in ("u0", "u1", "u2", "u7"):
                registered_until(pbx, user)
            assert pbx.contacts("u7")[0].startswith("sips:u7@")

            assert standing(running, "u8")["state"] == "failed"
            assert "its certificate" in standing(running, "u8")["words"]


def gap(server: Kamailio, began: float, user: str = "u1") -> float:
    """Seconds from an instant until a server knows the user."""
    return registered_until(server, user) - began


@pytest.mark.parametrize(("transport", "death"), [("udp", "frozen"), ("tcp", "killed")])
def test_the_secondary_takes_over(
    tmp_path: Path, silence: Path, figures: dict[str, str], transport: str, death: str
) -> None:
    """SAC-11, SIP-19: the primary dies, the secondary takes over, the primary comes back.

    Frozen: it says nothing at all any more. Killed: the network says that nobody is there.
    """
    with (
        kamailio(tmp_path / "first") as first,
        kamailio(tmp_path / "second") as second,
        baresip(tmp_path / "phone", source=silence, registrar=second.place) as phone,
    ):
        wanted = account(first, secondary_registrar=second.place, transport=transport)
        with registered(
            tmp_path / "device", wanted, allow_incoming=True, failback_after=3
        ) as running:
            registered_until(first, "u1")
            registered_until(second, "tester")
            time.sleep(1.0)  # it is looked after by now
            assert second.contacts("u1") == []

            if death == "killed":
                first.kill()
            else:
                first.freeze()
            seconds = gap(second, time.monotonic())
            figures[f"primary {death} until secondary, {transport}"] = f"{seconds:.2f} s"
            assert seconds < COLD_GAP + LATE

            wait_until(lambda: standing(running)["server"] == second.place)
            phone.dial(f"sip:u1@{second.place}")
            phone.hang_up()
            running.command("dial", uri="tester")
            phone.wait_for("CALL_ESTABLISHED")
            running.command("hang-up")

            first.kill()
            first.start()
            registered_until(first, "u1", limit=40.0)
            wait_until(lambda: standing(running)["server"] == first.place)
            assert second.contacts("u1") != []  # until the primary has shown that it works


def test_hot_standby_is_always_registered(tmp_path: Path, figures: dict[str, str]) -> None:
    with kamailio(tmp_path / "first") as first, kamailio(tmp_path / "second") as second:
        wanted = account(first, secondary_registrar=second.place, hot_standby=True)
        with registered(tmp_path / "device", wanted) as running:
            registered_until(first, "u1")
            registered_until(second, "u1")

            first.kill()

            assert second.contacts("u1") != []
            wait_until(lambda: standing(running)["server"] == second.place)
            figures["primary killed until secondary, hot"] = "0 s: both are registered"
            first.start()
            registered_until(first, "u1")
            wait_until(lambda: standing(running)["server"] == first.place)


def test_a_registrar_that_was_restarted_knows_the_device_again(
    tmp_path: Path, figures: dict[str, str]
) -> None:
    """What it had in memory is gone with it; over TCP that shows at once."""
    with (
        kamailio(tmp_path / "pbx") as pbx,
        registered(tmp_path / "device", account(pbx, transport="tcp")) as running,
    ):
        registered_until(pbx, "u1")

        pbx.kill()
        wait_until(lambda: standing(running)["state"] == "failed")
        assert "cannot be reached" in standing(running)["words"]
        pbx.start()
        began = time.monotonic()

        figures["registrar restarted until registered again"] = f"{gap(pbx, began):.2f} s"
        wait_until(lambda: standing(running)["state"] == "registered")


def test_a_change_of_one_account_leaves_the_others_alone(tmp_path: Path) -> None:
    """Calls of other accounts go on."""
    with (
        kamailio(tmp_path / "pbx") as pbx,
        registered(tmp_path / "device", account(pbx), account(pbx, "u2")) as running,
    ):
        registered_until(pbx, "u1")
        registered_until(pbx, "u2")
        before = standing(running)

        running.set("/sip/accounts/1/enabled", False)
        wait_until(lambda: pbx.contacts("u2") == [])

        assert standing(running) == before
        assert standing(running, "u2")["words"] == "is not active"
        running.set("/sip/enabled", False)
        wait_until(lambda: pbx.contacts("u1") == [])
