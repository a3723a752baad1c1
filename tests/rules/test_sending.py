"""What actions that send ask of the outbox (ACT-01, RCP-06, RCP-09)."""

import pytest

from sipstrobe.commands import SendMessage
from sipstrobe.rules.actions import CallRecipient, SendHttp, SendMail, SendTcp, UploadFile
from sipstrobe.rules.actions.base import RULE_NAME
from sipstrobe.rules.actions.sending import Sending

ITEMS = {"digit": "5", RULE_NAME: "Door"}


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        (
            SendHttp(recipient="r", method="PUT", query="a=1", headers={"X-A": "b"}, body="{}"),
            {
                "method": "PUT",
                "query": "a=1",
                "headers": (("X-A", "b"),),
                "content_type": "application/json",
                "text": "{}",
            },
        ),
        (
            SendMail(recipient="r", recording=True),
            {"subject": "{device.name}: {rule}", "text": "{rule}, {time}", "recording": "newest"},
        ),
        (SendTcp(recipient="r", text="{event.digit}"), {"text": "{event.digit}"}),
        (UploadFile(recipient="r", file="a.txt", text="x"), {"file": "a.txt", "text": "x"}),
        (UploadFile(recipient="r", text="x", recording=True), {"recording": "newest"}),
        (CallRecipient(recipient="r"), {}),
    ],
)
def test_an_action_orders_a_message_in_the_name_of_its_rule(
    action: Sending, wanted: dict[str, object]
) -> None:
    """With the items that placeholders stand for."""
    order = SendMessage(recipient="r", items=ITEMS, rule="Door", **wanted)  # pyright: ignore[reportArgumentType]
    assert action.command(ITEMS) == order


def test_every_text_of_an_action_can_be_checked() -> None:
    http = SendHttp(recipient="r", query="q", headers={"X-A": "h"}, body="b")
    assert http.templates == {"/query": "q", "/headers/X-A": "h", "/body": "b"}
    assert SendMail(recipient="r", subject="s", body="b").templates == {
        "/subject": "s",
        "/body": "b",
    }
    assert UploadFile(recipient="r", file="f", text="t").templates == {"/file": "f", "/text": "t"}
    assert CallRecipient(recipient="r").templates == {}
