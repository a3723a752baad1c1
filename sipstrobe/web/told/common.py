"""What the types of answers share."""

from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta

Instant = Annotated[float, Meta(description="Monotonic seconds of the device.")]
Level = Annotated[float, Meta(description="dB of full scale; -120 is silence.")]
Problem = Annotated[str, Meta(description="What keeps it from working, for a person; else empty.")]


class Link(TypedDict):
    """One link of a chain of causes."""

    serial: int
    at: Instant
    kind: Annotated[str, Meta(description="input, event, rule, command …")]
    name: str
    words: NotRequired[str]
    items: Annotated[dict[str, Any], Meta(description="What it says, by name.")]


Chain = Annotated[
    list[Link], Meta(description="From an effect back to what began it; of a long one, both ends.")
]


class Fault(TypedDict):
    """One of several things that are wrong. path: JSON pointer (RFC 6901)."""

    path: str
    message: str


class ProblemTold(TypedDict):
    """Why something was refused, or failed (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: NotRequired[Annotated[str, Meta(description="One word for programs.")]]
    field: NotRequired[Annotated[str, Meta(description="What of the request is at fault.")]]
    problems: NotRequired[list[Fault]]
