"""What is sent, as values that are kept on the disk until it has been.

id: stays the same through all attempts and restarts, so that whoever receives a message twice can
see it. at: when it was ordered, seconds since 1970.
"""

from typing import Protocol, TypeVar

from msgspec import Struct, json

from sipstrobe.commands.sending import HttpMethod

R = TypeVar("R", contravariant=True)
M = TypeVar("M", contravariant=True)


class Message(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What all kinds have in common."""

    id: str
    at: float

    @property
    def about(self) -> str:
        """What it is, in a few words for lists."""
        raise NotImplementedError

    @property
    def size_bytes(self) -> int:
        """What it takes in the outbox."""
        return len(json.encode(self))


class HttpMessage(Message, tag="http", frozen=True, kw_only=True):
    """A request (RCP-06). query: comes after the URL's own, without the question mark."""

    method: HttpMethod
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = ""
    body: str = ""

    @property
    def about(self) -> str:
        return f"{self.method} {self.query}".rstrip()


class MailMessage(Message, tag="mail", frozen=True, kw_only=True):
    """A mail (RCP-10). recording: the name of the one that goes with it; empty: none."""

    subject: str
    body: str
    recording: str = ""

    @property
    def about(self) -> str:
        return self.subject


class TextMessage(Message, tag="tcp", frozen=True, kw_only=True):
    """Bytes over a connection of their own (RCP-11), as UTF-8."""

    text: str

    @property
    def about(self) -> str:
        return self.text.partition("\n")[0]


class FileMessage(Message, tag="file", frozen=True, kw_only=True):
    """A file of this name in the recipient's folder: a recording, or else a text."""

    name: str
    text: str = ""
    recording: str = ""

    @property
    def about(self) -> str:
        return self.name


class CallMessage(Message, tag="call", frozen=True, kw_only=True):
    """A call to the recipient (RCP-09); nothing is said but that it comes."""

    @property
    def about(self) -> str:
        return "a call"


class MqttMessage(Message, tag="mqtt", frozen=True, kw_only=True):
    """A publication. topic: without the device's prefix, which the client puts before it."""

    topic: str
    payload: str
    qos: int
    retain: bool
    use_prefix: bool

    @property
    def about(self) -> str:
        return self.topic


AnyMessage = HttpMessage | MailMessage | TextMessage | FileMessage | CallMessage | MqttMessage


class Sender(Protocol[R, M]):
    """Sends the messages M of one kind to recipients that R describes; for MQTT there is None."""

    async def send(self, recipient: R, message: M, /) -> None:
        """Return once the other side has it.

        Raises SendFailed. Every step of it has a limit, and it may be cancelled at any moment.
        """
        ...
