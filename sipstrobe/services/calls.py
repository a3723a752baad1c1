"""One call as the phone keeps it: who, with whom, since when, and its media."""

from dataclasses import dataclass, field

from sipstrobe.clock import Handle
from sipstrobe.events import CallReason, CallState, CallStateChanged, CallStatus, Direction
from sipstrobe.services.stream import Stream
from sipstrobe.sip.transport import Flow


@dataclass(slots=True, eq=False)
class Call:
    """State of one call. leg: the endpoint's name of its INVITE session, once there is one."""

    id: str
    direction: Direction
    account: str
    local_uri: str
    remote_uri: str
    extension: str
    since: float  # monotonic; when it began to ring or to call
    flow: Flow | None = None
    leg: str | None = None
    state: CallStatus = CallStatus.IDLE
    stream: Stream | None = None
    answer: bytes = b""  # what we send in the 2xx, while the call rings
    heard: bool = False  # its sound is listed with the sound service
    limit: Handle | None = field(default=None, repr=False)

    def moved(self, state: CallStatus, reason: CallReason) -> CallStateChanged:
        """Change the state; the pulse that says so."""
        before, self.state = self.state, state
        return CallStateChanged(
            call=self.id,
            direction=self.direction,
            account=self.account,
            local_uri=self.local_uri,
            remote_uri=self.remote_uri,
            extension=self.extension,
            before=before,
            state=state,
            reason=reason,
        )

    def property(self) -> CallState:
        """The state as rules hold it; idle once it has ended."""
        over = self.state in (CallStatus.TERMINATED, CallStatus.IDLE)
        return CallState(
            call=self.id,
            state=CallStatus.IDLE if over else self.state,
            direction=self.direction,
            account=self.account,
            local_uri=self.local_uri,
            remote_uri=self.remote_uri,
            extension=self.extension,
        )
