"""Recipients as settings, and rules that need them (RCP-01…11)."""

import json
from pathlib import Path
from typing import Any

import pytest

from sipstrobe.config.store import Store
from sipstrobe.errors import ConfigError
from sipstrobe.sending.settings import MailRecipient

TCP = {"kind": "tcp", "name": "plc", "host": "192.0.2.1", "port": 7}
MAIL = {
    "kind": "mail",
    "name": "ops",
    "to": ["a@b.test"],
    "sender": "c@d.test",
    "server": "mx.test",
    "user": "horn",
    "password": "open sesame",
}


def problems(tmp_path: Path, tree: Any) -> dict[str, str]:
    store = Store.open(tmp_path)
    try:
        store.change_now(tree)
    except ConfigError as error:
        return {problem.path: problem.message for problem in error.problems}
    finally:
        store.close()
    return {}


def rule(**action: object) -> dict[str, Any]:
    when = {"event": "call/state_change"}
    return {"name": "r", "when": when, "action": {"do": "send_tcp", "text": "x"} | action}


def test_a_password_is_written_and_never_read(tmp_path: Path) -> None:
    """Neither in the settings file nor in what the API shows; and it may go in again as it is."""
    store = Store.open(tmp_path)
    store.change_now({"recipients": [MAIL]})
    shown = store.tree["recipients"]

    assert "open sesame" not in json.dumps(shown)
    assert "open sesame" not in repr(store.current)
    assert "open sesame" not in (tmp_path / "settings.json").read_text()
    store.change_now({"recipients": [TCP, *shown]})
    mail = store.current.recipients[1]
    assert isinstance(mail, MailRecipient)
    assert mail.password.reveal() == "open sesame"
    store.close()


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ({"kind": "fax"}, "/recipients/0", "must be one of http, mail, tcp, ftp, sftp, share, sip"),
        ({"port": 0}, "/recipients/0/port", "must be a whole number from 1 to 65535"),
        ({"name": "mqtt"}, "/recipients/0/name", "'mqtt' is the broker of the MQTT settings"),
        ({"baud": 1}, "/recipients/0/baud", "there is no such setting"),
    ],
)
def test_what_is_wrong_is_said_where_it_is(
    tmp_path: Path, changes: dict[str, object], path: str, words: str
) -> None:
    assert problems(tmp_path, {"recipients": [TCP | changes]}) == {path: words}


def test_urls_have_a_host_and_no_password(tmp_path: Path) -> None:
    for url in ("http://user@h/", "http://:80/", "http://h:99999/", "http://h:0/", "http://[x/"):
        http = {"kind": "http", "name": "vms", "url": url}
        assert list(problems(tmp_path, {"recipients": [http]})) == ["/recipients/0/url"]


def test_twenty_recipients_and_no_more(tmp_path: Path) -> None:
    """RCP-01."""
    many = [TCP | {"name": str(n)} for n in range(21)]
    assert problems(tmp_path, {"recipients": many[:20]}) == {}
    assert problems(tmp_path, {"recipients": many}) == {
        "/recipients": "must be a list of at most 20 entries"
    }
    assert list(problems(tmp_path, {"recipients": [TCP, TCP]})) == ["/recipients/1/name"]


def test_a_rule_needs_a_recipient_that_is_there_and_takes_it(tmp_path: Path) -> None:
    both = {"recipients": [TCP, MAIL]}
    assert problems(tmp_path, both | {"rules": [rule(recipient="plc")]}) == {}
    for name, words in {
        "nobody": "there is no recipient 'nobody'",
        "ops": "'ops' is of the kind mail, not tcp",
    }.items():
        found = problems(tmp_path, both | {"rules": [rule(recipient=name)]})
        assert found == {"/rules/0/action/recipient": words}


def test_a_placeholder_that_nothing_fills_is_found(tmp_path: Path) -> None:
    """Only what the rule's own events have is known."""
    good = rule(recipient="plc", text="{call.remote_uri} {event.reason} {rule} {time}")
    assert problems(tmp_path, {"recipients": [TCP], "rules": [good]}) == {}
    bad = rule(recipient="plc", text="{event.digit}")
    found = problems(tmp_path, {"recipients": [TCP], "rules": [bad]})
    assert found == {"/rules/0/action/text": "{event.digit} is nothing that the rule knows of"}


def test_who_is_called_is_called_from_an_account_that_there_is(tmp_path: Path) -> None:
    """RCP-09."""
    sip = {"kind": "sip", "name": "guard", "uri": "sip:guard@pbx.test", "account": "nobody"}
    assert list(problems(tmp_path, {"recipients": [sip]})) == ["/recipients/0/account"]
