"""From an order to a message, for each kind of recipient."""

import pytest

from sipstrobe.commands import PublishMqtt, SendMessage
from sipstrobe.errors import CommandRefused
from sipstrobe.sending.compose import TEXT_MAX, Stamp, compose, publication, trial, values_of
from sipstrobe.sending.message import (
    CallMessage,
    FileMessage,
    HttpMessage,
    MailMessage,
    MqttMessage,
    TextMessage,
)
from sipstrobe.sending.settings import (
    FtpRecipient,
    HttpRecipient,
    MailRecipient,
    Recipient,
    SipRecipient,
    TcpRecipient,
)

STAMP = Stamp(id="42-ab", serial=42, at=7.0)
HTTP = HttpRecipient(name="vms", url="http://vms.test/")
MAIL = MailRecipient(name="ops", to=("a@b.test",), sender="c@d.test", server="mx.test")
TCP = TcpRecipient(name="plc", host="plc.test", port=9)
FTP = FtpRecipient(name="nas", host="nas.test")
SIP = SipRecipient(name="guard", uri="sip:guard@pbx.test")


def values(order: SendMessage | PublishMqtt) -> dict[str, str]:
    return values_of(order, STAMP, time="2030-01-01T00:00:00+00:00", name="Hall", serial="ABC")


def composed(recipient: Recipient, **fields: object) -> object:
    order = SendMessage(recipient=recipient.name, **fields)  # pyright: ignore[reportArgumentType]
    return compose(recipient, order, STAMP, values(order))


def refused(recipient: Recipient, **fields: object) -> str:
    with pytest.raises(CommandRefused) as caught:
        composed(recipient, **fields)
    return caught.value.code


ITEMS = {"digit": '5"&', "remote_uri": "sip:a@b\r\nX: y"}


def test_a_request_has_its_values_where_they_go() -> None:
    """RCP-06: each place is written in its own way."""
    assert composed(
        HTTP,
        method="PUT",
        query="d={event.digit}\r\nX:y",
        headers=(("X-From", "{call.remote_uri}"),),
        content_type="application/json",
        text='{"d": "{event.digit}", "r": "{rule}"}',
        items=ITEMS,
        rule="Door",
    ) == HttpMessage(
        id="42-ab",
        at=7.0,
        method="PUT",
        query="d=5%22%26 X:y",
        headers=(("X-From", "sip:a@b X: y"),),
        content_type="application/json",
        body='{"d": "5\\"&", "r": "Door"}',
    )


def test_a_mail_has_a_subject_of_one_line() -> None:
    assert composed(
        MAIL, subject="{device.name}: {call.remote_uri}", text="{time}\n{message}", items=ITEMS
    ) == MailMessage(
        id="42-ab",
        at=7.0,
        subject="Hall: sip:a@b X: y",
        body="2030-01-01T00:00:00+00:00\n42-ab",
    )


def test_each_file_has_a_number_of_its_own() -> None:
    """RCP-03: no file takes the place of another, and no value makes a path."""
    named: list[str] = []
    for name in ("{rule}.txt", "../../{event.digit}", "", ".ssh"):
        made = composed(FTP, file=name, text="x", items=ITEMS, rule="A/b c")
        assert isinstance(made, FileMessage)
        named.append(made.name)
    assert named == ["A_b_c-000042.txt", "_.._5_-000042", "message-000042.txt", "ssh-000042"]
    made = composed(FTP, recording="20300101T000000Z-call-1.wav")
    assert isinstance(made, FileMessage)
    assert made.name == "20300101T000000Z-call-1-000042.wav"


def test_texts_and_calls() -> None:
    assert composed(TCP, text="{event.digit}", items=ITEMS) == TextMessage(
        id="42-ab", at=7.0, text='5"&'
    )
    assert composed(SIP) == CallMessage(id="42-ab", at=7.0)


@pytest.mark.parametrize(
    ("recipient", "fields"),
    [
        (TCP, {"subject": "x"}),
        (MAIL, {"query": "x"}),
        (MAIL, {"headers": (("a", "b"),)}),
        (HTTP, {"recording": "newest"}),
        (SIP, {"text": "x"}),
        (FTP, {"method": "PUT"}),
    ],
)
def test_what_a_recipient_does_not_take_is_refused(
    recipient: Recipient, fields: dict[str, object]
) -> None:
    assert refused(recipient, **fields) == "not_for_this_kind"


def test_what_is_too_long_is_refused() -> None:
    """Also if it is so only with its values."""
    assert refused(TCP, text="x" * (TEXT_MAX + 1)) == "too_long"
    assert refused(TCP, text="{event.x}" * 80, items={"x": "y" * 1000}) == "too_long"
    assert refused(HTTP, query="x" * 1000) == "too_long"


@pytest.mark.parametrize("name", ["Content-Length", "host", "a b", "", "ä", "a\r\nb"])
def test_headers_of_the_request_itself_are_not_for_sale(name: str) -> None:
    assert refused(HTTP, headers=((name, "x"),)) == "headers"
    assert refused(HTTP, headers=(("X-A", "x"),) * 17) == "headers"


def test_a_publication_has_its_values_too() -> None:
    """MQTT 5.0 §4.7: a value makes neither levels nor wildcards."""
    order = PublishMqtt(
        topic="door/{event.digit}", payload='{"d":"{event.digit}"}', qos=1, items={"digit": '+/"'}
    )
    assert publication(order, STAMP, values(order)) == MqttMessage(
        id="42-ab",
        at=7.0,
        topic="door/%2B%2F%22",
        payload='{"d":"+/\\""}',
        qos=1,
        retain=False,
        use_prefix=False,
    )
    for topic in ("", "a/#", "+"):
        order = PublishMqtt(topic=topic)
        with pytest.raises(CommandRefused) as caught:
            publication(order, STAMP, values(order))
        assert caught.value.code == "topic"


def test_a_test_says_that_it_is_one() -> None:
    order = SendMessage(recipient="x")
    mail = trial(MAIL, STAMP, values(order))
    assert isinstance(mail, MailMessage)
    assert mail.subject == "Test message from Hall"
    kinds = [type(trial(r, STAMP, values(order))) for r in (HTTP, TCP, FTP, SIP)]
    assert kinds == [HttpMessage, TextMessage, FileMessage, CallMessage]
