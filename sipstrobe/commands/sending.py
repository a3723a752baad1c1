"""Orders about what leaves the device: served by services.outbox.

Texts may hold placeholders such as {event.digit}, {rule} and {device.name} (sending.templates):
`items` are what they stand for, those of the event that a rule has acted upon.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sipstrobe.commands.base import Command

HttpMethod = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage(Command):
    """Send something to a recipient, by way of the outbox. -> str, the id of the message

    What each kind of recipient takes: http `method`, `query`, `headers`, `content_type` and `text`
    as the body; mail `subject`, `text` and `recording`; tcp `text`; ftp, sftp and share `file`, the
    name of the file, with `text` or `recording` as what is in it; sip nothing, it is called.
    recording: the name of one, "newest" for the one that has ended last. rule: which wants it.
    Refused: unknown_recipient, not_for_this_kind, no_recording, too_long, outbox_full.
    """

    recipient: str
    text: str = ""
    subject: str = ""
    method: HttpMethod = "POST"
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "text/plain"
    file: str = ""
    recording: str = ""
    items: Mapping[str, str] = field(default_factory=dict[str, str], repr=False, hash=False)
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishMqtt(Command):
    """Publish by way of the outbox. -> str, the id of the message

    topic: after the device's own prefix, if use_prefix. Topic and payload may hold placeholders.
    Refused: no_mqtt, topic, too_long, outbox_full.
    """

    topic: str
    payload: str = ""
    qos: Literal[0, 1, 2] = 0
    retain: bool = False
    use_prefix: bool = False
    items: Mapping[str, str] = field(default_factory=dict[str, str], repr=False, hash=False)
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRecipient(Command):
    """Try a recipient now, past the outbox. -> str, the id under which send/result tells of it

    Refused: unknown_recipient, too_many_tests.
    """

    __test__ = False  # no test of ours
    recipient: str
