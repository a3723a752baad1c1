"""Actions that send something to a recipient. Texts may hold placeholders, such as {event.digit},
{rule} and {device.name}."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from msgspec import Meta, field

from sipstrobe import commands
from sipstrobe.commands import Command, HttpMethod
from sipstrobe.rules.actions.base import RULE_NAME, RuleAction

MAX_TEXT = 8192  # characters
MAX_LINE = 512
MAX_HEADERS = 16

_RecipientName = Annotated[str, Meta(min_length=1, max_length=64, title="Recipient")]
_Line = Annotated[str, Meta(max_length=MAX_LINE, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]
_Text = Annotated[str, Meta(max_length=MAX_TEXT)]
_Headers = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=64)], _Line],
    Meta(max_length=MAX_HEADERS, title="Headers"),
]
_Attach = Annotated[
    bool,
    Meta(
        title="Recording",
        description="The recording that has ended: the one that fired the rule, else the last.",
    ),
]


class Sending(RuleAction, frozen=True, kw_only=True):
    """Base of the actions that send."""

    kinds: ClassVar[tuple[str, ...]]  # of recipients that take it
    recipient: _RecipientName

    @property
    def templates(self) -> dict[str, str]:
        """The texts with placeholders, by their place in the action."""
        raise NotImplementedError


class SendHttp(Sending, tag="send_http", frozen=True, kw_only=True):
    """Make a request to a web server (RCP-06)."""

    words = "Send an HTTP request"
    kinds = ("http",)
    method: Annotated[HttpMethod, Meta(title="Method")] = "POST"
    query: Annotated[
        _Line, Meta(title="Query", description="Comes after the URL's own, such as door=1&on=yes.")
    ] = ""
    headers: _Headers = field(default_factory=dict[str, str])
    content_type: Annotated[
        _Line,
        Meta(
            title="Type of the body",
            description="Such as application/json; values are written as the type wants it.",
        ),
    ] = "application/json"
    body: Annotated[_Text, Meta(title="Body")] = ""

    @property
    def templates(self) -> dict[str, str]:
        headers = {f"/headers/{name}": value for name, value in self.headers.items()}
        return {"/query": self.query, "/body": self.body, **headers}

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.SendMessage(
            recipient=self.recipient,
            method=self.method,
            query=self.query,
            headers=tuple(self.headers.items()),
            content_type=self.content_type,
            text=self.body,
            items=items,
            rule=items.get(RULE_NAME, ""),
        )


class SendMail(Sending, tag="send_mail", frozen=True, kw_only=True):
    """Send a mail."""

    words = "Send a mail"
    kinds = ("mail",)
    subject: Annotated[_Line, Meta(title="Subject")] = "{device.name}: {rule}"
    body: Annotated[_Text, Meta(title="Text")] = "{rule}, {time}"
    recording: _Attach = False

    @property
    def templates(self) -> dict[str, str]:
        return {"/subject": self.subject, "/body": self.body}

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.SendMessage(
            recipient=self.recipient,
            subject=self.subject,
            text=self.body,
            recording="newest" if self.recording else "",
            items=items,
            rule=items.get(RULE_NAME, ""),
        )


class SendTcp(Sending, tag="send_tcp", frozen=True, kw_only=True):
    """Send a text over TCP."""

    words = "Send a text over TCP"
    kinds = ("tcp",)
    text: Annotated[_Text, Meta(min_length=1, title="Text")]

    @property
    def templates(self) -> dict[str, str]:
        return {"/text": self.text}

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.SendMessage(
            recipient=self.recipient, text=self.text, items=items, rule=items.get(RULE_NAME, "")
        )


class UploadFile(Sending, tag="upload_file", frozen=True, kw_only=True):
    """Put a file into a folder elsewhere: a text, or a recording."""

    words = "Upload a file"
    kinds = ("ftp", "sftp", "share")
    file: Annotated[
        Annotated[str, Meta(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")],
        Meta(
            title="File name",
            description="A number that no other file has is added before its ending (RCP-03). "
            "Empty: that of the recording, or message.txt.",
        ),
    ] = ""
    text: Annotated[_Text, Meta(title="Text", description="What is in it, if no recording.")] = ""
    recording: _Attach = False

    @property
    def templates(self) -> dict[str, str]:
        return {"/file": self.file, "/text": self.text}

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.SendMessage(
            recipient=self.recipient,
            file=self.file,
            text="" if self.recording else self.text,
            recording="newest" if self.recording else "",
            items=items,
            rule=items.get(RULE_NAME, ""),
        )


class CallRecipient(Sending, tag="call_recipient", frozen=True, kw_only=True):
    """Call somebody, again and again until he answers, 10 minutes at the most (RCP-09)."""

    words = "Call a recipient"
    kinds = ("sip",)

    @property
    def templates(self) -> dict[str, str]:
        return {}

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.SendMessage(
            recipient=self.recipient, items=items, rule=items.get(RULE_NAME, "")
        )
