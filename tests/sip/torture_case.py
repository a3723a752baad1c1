"""What a torture message is, and how one is written down."""

from dataclasses import dataclass
from textwrap import dedent
from typing import Literal

SDP = (
    b"v=0\r\no=- 7 7 IN IP4 192.0.2.77\r\ns=-\r\nc=IN IP4 192.0.2.77\r\nt=0 0\r\n"
    b"m=audio 40000 RTP/AVP 0 8\r\n"
)

Outcome = int | Literal["accept", "ignore"]


@dataclass(frozen=True, slots=True)
class Case:
    """One message of RFC 4475 or RFC 5118, in words of our own, and what has to come of it.

    outcome: the status to answer with; "accept": an INVITE that makes the phone ring, or a response
    that is read without complaint; "ignore": no answer. by_message: `parse` and `validate` decide
    that already; otherwise they let it pass, and the endpoint answers.
    """

    name: str  # as in the RFC
    section: str
    data: bytes
    outcome: Outcome
    by_message: bool


def wire(text: str, body: bytes = b"") -> bytes:
    """text with CRLF, ``{length}`` filled in, an empty line, and the body."""
    head = dedent(text).strip("\n").replace("\n", "\r\n").replace("{length}", str(len(body)))
    return head.encode() + b"\r\n\r\n" + body
