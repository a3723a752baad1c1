"""Recipients with real servers of others: a rule sends, and a test says what is wrong."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.baresip import baresip
from tests.interop.device import Device, device, wait_until
from tests.interop.samba import PASSWORD, Samba, samba

pytestmark = pytest.mark.interop

PRESSED = {"event": "input/manual_trigger", "match": {"trigger": "1", "active": "true"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Samba]:
    with samba(tmp_path_factory.mktemp("samba")) as running:
        yield running


@pytest.fixture(scope="module")
def horn(tmp_path_factory: pytest.TempPathFactory) -> Generator[Device]:
    with device(tmp_path_factory.mktemp("device"), sound="null") as running:
        yield running


def share(server: Samba, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "share",
        "name": "nas",
        "host": "127.0.0.1",
        "port": server.port,
        "share": "inbox",
        "folder": "alarms",
        "user": server.user,
        "password": PASSWORD,
    } | changes


def test_a_rule_puts_files_on_a_network_share(horn: Device, server: Samba) -> None:
    """RCP-07, RCP-03: whole, under its own number each, with nothing left of another name."""
    action = {
        "do": "upload_file",
        "recipient": "nas",
        "file": "{rule}.txt",
        "text": "{device.name}: {event.trigger}",
    }
    rule = {"name": "Alarm", "when": PRESSED, "action": action}
    horn.set("/recipients", [share(server)])
    horn.set("/rules", [rule])
    for _ in range(2):
        horn.command("set-manual-trigger", trigger=1, active=True)
        horn.command("set-manual-trigger", trigger=1, active=False)

    folder = server.share / "alarms"
    wait_until(lambda: len(list(folder.glob("Alarm-??????.txt"))) == 2, words="two files")

    wait_until(lambda: horn.status()["outbox"]["waiting"] == 0)
    assert {path.read_text() for path in folder.iterdir()} == {"sipstrobe: 1"}
    results = horn.api("GET", "outbox")["results"]
    assert [(r["sent"], r["rule"], r["kind"]) for r in results] == [(True, "Alarm", "share")] * 2
    assert "command" in {link["kind"] for link in results[0]["why"]}


def test_a_test_says_what_is_wrong_with_a_share(horn: Device, server: Samba) -> None:
    """RCP-01: log-in, share, folder and rights, each in its own words."""
    wrong = {
        "the server does not accept user and password": {"password": "guess"},
        "there is no share nothing on 127.0.0.1": {"share": "nothing"},
        "the folder nowhere is missing": {"folder": "nowhere"},
        "the user may not write to shut/alarms": {"share": "shut"},
        "127.0.0.1:9 refuses connections": {"port": 9},
    }
    horn.set("/rules", [])
    horn.set(
        "/recipients",
        [share(server, name=str(n), **changes) for n, changes in enumerate(wrong.values())],
    )

    said = [horn.api("POST", f"recipients/{n}/test")["words"] for n in range(len(wrong))]

    assert said == list(wrong)


def test_a_recipient_is_called_and_answers(horn: Device, silence: Path, tmp_path: Path) -> None:
    """RCP-09: the message is sent once a phone of others has answered; the call goes on."""
    horn.set("/rules", [])
    with baresip(tmp_path, source=silence) as phone:
        horn.set("/recipients", [{"kind": "sip", "name": "Guard", "uri": phone.uri}])
        call = {"do": "call_recipient", "recipient": "Guard"}
        horn.set("/rules", [{"name": "Help", "when": PRESSED, "action": call}])

        horn.command("set-manual-trigger", trigger=1, active=True)
        horn.command("set-manual-trigger", trigger=1, active=False)

        phone.wait_for("CALL_ESTABLISHED")
        wait_until(lambda: horn.status()["outbox"]["waiting"] == 0, words="it has arrived")
        result = horn.api("GET", "outbox")["results"][0]
        told = (result["sent"], result["rule"], result["kind"], result["attempts"])
        assert told == (True, "Help", "sip", 1)
        phone.hang_up()
