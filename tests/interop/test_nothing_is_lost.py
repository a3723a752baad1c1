"""What leaves the device comes to an end, whoever is killed meanwhile: RCP-04, -10, -11, MQT-15.

Rules send to a web server, a mail server, a program that takes text and a broker, all of them
processes of others: each message is its own id.
"""

import contextlib
import json
import sqlite3
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sipstrobe.sending.outbox import MAX_LANE_ITEMS
from tests.interop.device import Device, device, wait_until
from tests.interop.mosquitto import Mosquitto, Witness, mosquitto
from tests.interop.receivers import ANSWER_TO_IT, REFUSED, Receivers, receivers

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

LIMIT = 90.0  # seconds that only pass when something is lost
RECIPIENTS = {"http": "Door", "mail": "Office", "tcp": "Wall", "mqtt": "mqtt"}
PRESSED = {"event": "input/manual_trigger", "match": {"trigger": "1", "active": "true"}}
ID = "{message}"


def action(kind: str, n: int) -> dict[str, Any]:
    to = {"recipient": RECIPIENTS[kind]}
    match kind:
        case "http":
            return to | {"do": "send_http", "body": ID, "content_type": "text/plain"}
        case "mail":
            return to | {"do": "send_mail", "subject": "n", "body": ID}
        case "tcp":
            return to | {"do": "send_tcp", "text": ID}
        case _:
            payload = {"payload": ID, "qos": 1, "retain": True}
            return payload | {"do": "publish_mqtt", "topic": f"told/{n}/{ID}"}


def rules(**number: int) -> list[dict[str, Any]]:
    """Each time that the trigger is pressed, so many messages of each kind."""
    return [
        {"name": f"{kind} {n}", "when": PRESSED, "action": action(kind, n)}
        for kind, count in number.items()
        for n in range(count)
    ]


@contextlib.contextmanager
def sending(
    folder: Path, to: Receivers, broker: Mosquitto, sent: list[dict[str, Any]]
) -> Generator[Device]:
    """A device with these receivers and rules."""
    host = {"host": "127.0.0.1"}
    recipients: list[dict[str, Any]] = [
        {"kind": "http", "name": "Door", "url": f"http://127.0.0.1:{to.http}/told"},
        {
            "kind": "mail",
            "name": "Office",
            "to": ["a@office.test"],
            "sender": "b@hall.test",
            "server": "127.0.0.1",
            "port": to.mail,
            "encryption": "none",
        },
        {"kind": "tcp", "name": "Wall", "port": to.tcp} | host,
    ]
    settings = {
        "/recipients": recipients,
        "/mqtt": {"active": True, "port": broker.port} | host,
        "/rules": sent,
    }
    puts = [
        part for put in settings.items() for part in ("--set", f"{put[0]}={json.dumps(put[1])}")
    ]
    with device(folder, *puts, sound="null") as running:
        yield running


def press(running: Device) -> None:
    running.command("set-manual-trigger", trigger=1, active=True)
    running.command("set-manual-trigger", trigger=1, active=False)


def on_the_disk(running: Device) -> int:
    """How many messages a power failure would leave."""
    file = f"file:{running.folder}/state/outbox.db?mode=ro"
    with contextlib.closing(sqlite3.connect(file, uri=True)) as outbox:
        return int(outbox.execute("SELECT count(*) FROM messages").fetchone()[0])


def ordered(messages: list[dict[str, Any]], kind: str) -> list[str]:
    """The ids of what goes to one recipient, in the order in which it was ordered."""
    ids = [one["id"] for one in messages if one["kind"] == kind]
    return sorted(ids, key=lambda name: int(name.partition("-")[0]))


def failing(running: Device) -> set[str]:
    """The recipients that cannot be reached just now."""
    return set(running.status()["outbox"]["failing"])


def nothing_waits(running: Device) -> None:
    wait_until(
        lambda: not running.status()["outbox"]["waiting"], LIMIT, "the outbox is empty", look=0.1
    )


def told(by: Witness) -> list[str]:
    """The ids that have come by the broker, in the order in which they came."""
    said = [payload.decode() for topic, payload, _ in by.said if topic.startswith("told/")]
    return list(dict.fromkeys(said))


def test_who_is_killed_with_a_full_outbox_sends_all_of_it_in_order(tmp_path: Path) -> None:
    """kill -9 while nobody is there; what finds no room is given up at once, and says why."""
    presses, others = 10, ("mail", "tcp", "mqtt")
    wanted = rules(http=MAX_LANE_ITEMS // presses, mail=3, tcp=3, mqtt=3)
    with mosquitto(tmp_path / "broker") as broker, receivers(tmp_path / "told") as to:
        broker.kill()
        with sending(tmp_path / "device", to, broker, wanted) as running:
            for _ in range(presses):
                press(running)
            expected = MAX_LANE_ITEMS + 3 * presses * len(others)
            wait_until(
                lambda: on_the_disk(running) == expected, LIMIT, "it is on the disk", look=0.1
            )
            waiting = running.api("GET", "outbox")["waiting"]
            assert len(waiting) == expected

            running.command("set-manual-trigger", trigger=1, active=True)
            results = running.api("GET", "outbox")["results"]
            words = f"{MAX_LANE_ITEMS} messages to 'Door' wait already"
            assert {(r["kind"], r["sent"], r["words"]) for r in results} == {("http", False, words)}
            wait_until(lambda: on_the_disk(running) == expected + 3 * len(others), LIMIT)
            waiting = running.api("GET", "outbox")["waiting"]
            running.kill()

        to.start()
        broker.start()
        hears = Witness(broker.port)
        hears.say("ready", "it hears", retain=True)
        wait_until(lambda: bool(hears.said), words="it hears what is said")
        with device(
            tmp_path / "device", port=running.port, password=running.password, sound="null"
        ) as again:
            nothing_waits(again)
            each = 3 * (presses + 1)
            wait_until(lambda: len(told(hears)) == each, LIMIT, "all is published")
            wait_until(lambda: len(to.received("tcp")) == each, LIMIT, "all text is read")
        hears.close()

        for kind in ("http", "mail", "tcp"):
            assert to.received(kind) == ordered(waiting, kind)
        assert told(hears) == ordered(waiting, "mqtt")


def test_receivers_die_and_come_back_and_each_message_has_an_end(tmp_path: Path) -> None:
    """Killed in the middle of it. What a server refuses for good is given up with what it says."""
    wanted = rules(http=4, mail=2, mqtt=4)
    refused = {"do": "send_mail", "recipient": "Office", "body": f"{REFUSED} {ID}"}
    wanted.append({"name": "unwanted", "when": PRESSED, "action": refused})
    presses = 8
    back = datetime.now(UTC)
    with mosquitto(tmp_path / "broker") as broker, receivers(tmp_path / "told") as to:
        to.start()
        hears = Witness(broker.port)
        with sending(tmp_path / "device", to, broker, wanted) as running:
            wait_until(lambda: running.status()["mqtt"]["connected"], words="the broker is there")
            for n in range(presses):
                press(running)
                if n == 2:
                    to.kill()
                    broker.kill()
                if n == 5:
                    wait_until(lambda: {"Door", "mqtt"} <= failing(running), words="missed")
                    to.start()
                    broker.start()
                    back = datetime.now(UTC)
            nothing_waits(running)
            results = running.api("GET", "outbox")["results"]

        assert len(results) == presses * len(wanted)
        given_up = [r for r in results if not r["sent"]]
        assert {r["rule"] for r in given_up} == {"unwanted"}
        assert len(given_up) == presses
        assert all(ANSWER_TO_IT in r["words"] for r in given_up), given_up
        assert max(r["attempts"] for r in results) > 1
        sent = [r for r in results if r["sent"]]
        assert to.received("http") == ordered(sent, "http")
        assert to.received("mail") == ordered(sent, "mail")

        # A broker that is killed forgets what it has taken; what it took later is heard.
        later = [r for r in sent if datetime.fromisoformat(r["ended"]) > back]
        wait_until(lambda: set(ordered(later, "mqtt")) <= set(told(hears)), words="published")
        hears.close()
