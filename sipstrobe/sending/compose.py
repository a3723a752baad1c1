"""From an order to the message that its recipient takes, with all placeholders filled in."""

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from sipstrobe.commands.sending import PublishMqtt, SendMessage
from sipstrobe.errors import CommandRefused
from sipstrobe.sending import templates
from sipstrobe.sending.message import (
    AnyMessage,
    CallMessage,
    FileMessage,
    HttpMessage,
    MailMessage,
    MqttMessage,
    TextMessage,
)
from sipstrobe.sending.settings import (
    FILE_KINDS,
    HttpRecipient,
    MailRecipient,
    Recipient,
    SipRecipient,
    TcpRecipient,
)

TEXT_MAX: Final = 64 * 1024  # characters of a body or payload
LINE_MAX: Final = 900  # characters of a subject, header or query; RFC 5322 §2.1.1 allows 998
TOPIC_MAX: Final = 1024  # characters
FILE_NAME_MAX: Final = 180  # characters, so that 255 bytes are enough for the number as well
MAX_HEADERS: Final = 16
TEST_TEXT: Final = "This is a test message from the device {device.name}, sent at {time}."
TEST_FILE: Final = "sipstrobe-test.txt"

_OWN: Final = frozenset({"host", "content-length", "content-type", "transfer-encoding"})
_TOKEN: Final = frozenset("!#$%&'*+-.^_`|~")  # RFC 9110 §5.6.2, beside letters and digits
_FIELDS: Final = {
    "http": {"method", "query", "headers", "content_type", "text"},
    "mail": {"subject", "text", "recording"},
    "tcp": {"text"},
    "sip": set[str](),
} | {kind: {"file", "text", "recording"} for kind in FILE_KINDS}
"""What each kind of recipient takes."""

_ENDING: Final = re.compile(r"(?<=.)\.[A-Za-z0-9]{1,8}$")


class Stamp(Struct, frozen=True):
    """What a message is given as it is ordered.

    serial: grows by one each time, over restarts too (RCP-03). at: seconds since 1970.
    """

    id: str
    serial: int
    at: float


def values_of(
    order: SendMessage | PublishMqtt, stamp: Stamp, *, time: str, name: str, serial: str
) -> dict[str, str]:
    """What placeholders stand for. time: of the order; name and serial: of the device."""
    values = {templates.EVENT + item: value for item, value in order.items.items()}
    common = (order.rule, time, stamp.id, name, serial)
    return values | dict(zip(templates.COMMON, common, strict=True))


def compose(
    recipient: Recipient, order: SendMessage, stamp: Stamp, values: Mapping[str, str]
) -> AnyMessage:
    """The message. order.recording: the name of one, or empty.

    Raises CommandRefused: not_for_this_kind, headers, file, too_long.
    """
    _check_fields(recipient, order)
    text, line = templates.plain, templates.in_line
    if isinstance(recipient, HttpRecipient):
        body = _fill(order.text, values, templates.for_type(order.content_type), "text")
        return HttpMessage(
            id=stamp.id,
            at=stamp.at,
            method=order.method,
            query=line(_fill(order.query, values, templates.in_query, "query", LINE_MAX)),
            headers=_headers(order.headers, values),
            content_type=templates.in_line(order.content_type) if body else "",
            body=body,
        )
    if isinstance(recipient, MailRecipient):
        return MailMessage(
            id=stamp.id,
            at=stamp.at,
            subject=templates.in_line(_fill(order.subject, values, line, "subject", LINE_MAX)),
            body=_fill(order.text, values, text, "text"),
            recording=order.recording,
        )
    if isinstance(recipient, TcpRecipient):
        return TextMessage(id=stamp.id, at=stamp.at, text=_fill(order.text, values, text, "text"))
    if isinstance(recipient, SipRecipient):
        return CallMessage(id=stamp.id, at=stamp.at)
    return FileMessage(
        id=stamp.id,
        at=stamp.at,
        name=_file_name(order, stamp, values),
        text=_fill(order.text, values, text, "text"),
        recording=order.recording,
    )


def publication(order: PublishMqtt, stamp: Stamp, values: Mapping[str, str]) -> MqttMessage:
    """What is to be published. Raises CommandRefused: topic, too_long."""
    topic = _fill(order.topic, values, _in_topic, "topic", TOPIC_MAX)
    if not topic or any(c in "+#\0" for c in topic):
        raise CommandRefused("topic", "a topic has at least one character, and no + and #")
    escaped = templates.in_json if order.payload[:1] in ("{", "[") else templates.plain
    return MqttMessage(
        id=stamp.id,
        at=stamp.at,
        topic=topic,
        payload=_fill(order.payload, values, escaped, "payload"),
        qos=order.qos,
        retain=order.retain,
        use_prefix=order.use_prefix,
    )


def trial(recipient: Recipient, stamp: Stamp, values: Mapping[str, str]) -> AnyMessage:
    """A message that says it is a test."""
    text = templates.render(TEST_TEXT, values, templates.plain)
    subject = f"Test message from {values['device.name']}"
    if isinstance(recipient, HttpRecipient):
        return HttpMessage(id=stamp.id, at=stamp.at, method="GET")
    if isinstance(recipient, MailRecipient):
        return MailMessage(id=stamp.id, at=stamp.at, subject=subject, body=text)
    if isinstance(recipient, TcpRecipient):
        return TextMessage(id=stamp.id, at=stamp.at, text=text + "\r\n")
    if isinstance(recipient, SipRecipient):
        return CallMessage(id=stamp.id, at=stamp.at)
    return FileMessage(id=stamp.id, at=stamp.at, name=TEST_FILE, text=text + "\r\n")


def header_problem(name: str) -> str:
    """What is wrong with the name of a header; empty: nothing."""
    if name.lower() in _OWN:
        return f"{name} is set by the request itself"
    if not name or not all(c.isascii() and (c.isalnum() or c in _TOKEN) for c in name):
        return "must be a token: letters, digits and dashes"
    return ""


def _check_fields(recipient: Recipient, order: SendMessage) -> None:
    takes = _FIELDS[recipient.kind] | {"recipient", "items", "rule"}
    for field in fields(order):
        if field.name not in takes and getattr(order, field.name) != field.default:
            words = f"a recipient of the kind {recipient.kind} takes no {field.name}"
            if field.name != "headers" or order.headers:
                raise CommandRefused("not_for_this_kind", words)


def _fill(
    template: str,
    values: Mapping[str, str],
    escaped: templates.Escape,
    what: str,
    limit: int = TEXT_MAX,
) -> str:
    if len(template) <= limit:
        text = templates.render(template, values, escaped)
        if len(text) <= limit:
            return text
    raise CommandRefused("too_long", f"{what} may have {limit} characters")


def _headers(
    headers: tuple[tuple[str, str], ...], values: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    if len(headers) > MAX_HEADERS:
        raise CommandRefused("headers", f"{MAX_HEADERS} headers are taken")
    for name, _ in headers:
        if words := header_problem(name):
            raise CommandRefused("headers", f"{name[:64]!r}: {words}")
    line = templates.in_line
    return tuple((n, line(_fill(v, values, line, "headers", LINE_MAX))) for n, v in headers)


def _file_name(order: SendMessage, stamp: Stamp, values: Mapping[str, str]) -> str:
    """With the serial number before its ending, so that no file takes the place of another."""
    default = order.recording or "message.txt"
    name = _fill(order.file or default, values, templates.in_file_name, "file", FILE_NAME_MAX)
    name = templates.in_file_name(name)
    if not name:
        raise CommandRefused("file", "a file needs a name")
    ending = _ENDING.search(name)
    at = len(name) if ending is None else ending.start()
    return f"{name[:at]}-{stamp.serial:06}{name[at:]}"


def _in_topic(value: str) -> str:
    """Values make no levels and no wildcards (MQTT 5.0 §4.7)."""
    return quote(value, safe=" ") if any(c in "/+#\0" for c in value) else value
