"""Calls, accounts and what helps them in JSON."""

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from sipstrobe.events import CallStatus, Direction, RegistrationState
from sipstrobe.rtp.verdict import Verdict
from sipstrobe.web.told.common import Level, Problem


class AudioTold(TypedDict):
    """How a call is heard. Shares are 0 … 1; scores, loss and discard are of the last seconds."""

    verdict: Verdict
    words: Annotated[str, Meta(description="The cause; empty when nothing is wrong.")]
    advice: Annotated[str, Meta(description="What may help.")]
    mos: Annotated[float | None, Meta(description="E-model of ITU-T G.107, in conversation.")]
    mos_lq: Annotated[float | None, Meta(description="The same, listening.")]
    r_factor: float | None
    loss: Annotated[float, Meta(description="Of packets that never came.")]
    discard: Annotated[float, Meta(description="Of those that came too late.")]
    burst_density: Annotated[float, Meta(description="RFC 3611 §4.7.2.")]
    burst_ms: float
    gap_density: float
    gap_ms: float
    jitter_ms: float
    round_trip_ms: float | None
    received: Annotated[int, Meta(description="Packets.")]
    sent: Annotated[int, Meta(description="Packets.")]
    remote_loss: float
    remote_mos: float | None
    source: Annotated[str, Meta(description="With whom packets are exchanged.")]
    way: Annotated[str, Meta(description="Through address translation; empty: straight.")]
    encryption: Annotated[str, Meta(description="The suite of SRTP; empty: none.")]
    seconds: Annotated[dict[str, float], Meta(description="How long each verdict has held.")]


class CallTold(TypedDict):
    """A call that runs."""

    id: str
    direction: Direction
    account: str
    local_uri: str
    remote_uri: str
    extension: str
    state: CallStatus
    seconds: Annotated[float, Meta(description="Since its last change of state.")]
    codec: str
    level_db: Level
    packets_received: int
    packets_lost: int
    jitter_ms: float
    transport: str
    audio: AudioTold | None


class RegistrationTold(TypedDict):
    """How an account stands with its registrar."""

    account: str
    state: RegistrationState
    server: Annotated[str, Meta(description="Where it is registered, or was tried last.")]
    uri: Annotated[str, Meta(description="The address under which it can be called.")]
    code: Annotated[int, Meta(description="The last SIP status; 0: none has come.")]
    words: str
    until: Annotated[str, Meta(description="When the registration ends, ISO 8601; or empty.")]
    problem: Problem


class NatServerTold(TypedDict):
    """A server that helps through address translation."""

    kind: Literal["STUN", "TURN", "UPnP"]
    server: str
    milliseconds: float | None
    address: str
    problem: Problem


class NatTold(TypedDict):
    """Address translation. public: our address as others see it; empty: not known."""

    public: str
    servers: list[NatServerTold]
