"""Whether a server is still there: OPTIONS (RFC 3261 §11) in quick succession.

For servers that have a substitute, where minutes of silence would be minutes without calls. One
probe for each flow, however many bindings use it. Any answer will do; a server that never gives
one is not judged by its silence.
"""

from collections.abc import Callable

from msgspec.structs import replace

from sipstrobe.sip.agenda import Entry
from sipstrobe.sip.exchange import Asking
from sipstrobe.sip.identity import Identity
from sipstrobe.sip.layer import Layer
from sipstrobe.sip.message import Response
from sipstrobe.sip.outputs import ServerSilent
from sipstrobe.sip.speaker import Speaker
from sipstrobe.sip.transaction import Failure
from sipstrobe.sip.transport import Flow

EVERY = 0.5  # seconds from one OPTIONS to the next
SILENCE = 1.2  # seconds without an answer: five copies over UDP, so that loss is not taken for it


class Probe:
    """Ask one server again and again, for those who are registered there."""

    __slots__ = (
        "_asked",
        "_layer",
        "_silent",
        "_since",
        "_speaker",
        "_trusted",
        "_uri",
        "deadline",
        "entry",
        "flow",
        "users",
    )

    def __init__(
        self,
        layer: Layer,
        flow: Flow,
        identity: Identity,
        uri: str,
        silent: Callable[["Probe"], None],
    ) -> None:
        self.flow = flow
        self.users: dict[str, None] = {}
        self.deadline: float | None = None
        self.entry: Entry | None = None
        self._layer = layer
        self._silent = silent
        self._uri = uri
        self._speaker = Speaker(layer, replace(identity, credentials=()), uri)
        self._asked: list[Asking] = []  # those without an answer
        self._since: float | None = None  # when the first of them was asked
        self._trusted = False  # it has answered before

    def wake(self, *, now: float) -> None:
        """Ask once more, or stop when there was no answer for too long."""
        if self._since is not None and now - self._since >= SILENCE:
            self.stop()
            self._silent(self)
            return
        if self._since is None:
            self._since = now
        draft = self._speaker.draft("OPTIONS", self._uri, (("Accept", "application/sdp"),))
        asking = Asking(self._layer, draft, self.flow, self._answered)
        self._asked.append(asking)
        self.deadline = min(now + EVERY, self._since + SILENCE) if self._trusted else None
        self._layer.agenda.note(self)
        asking.start(now=now)

    def stop(self) -> None:
        """Ask no more, and wait for no answer."""
        self.deadline = None
        self._layer.agenda.forget(self)
        self._forget_asked()

    def _answered(self, answer: Response | Failure, now: float) -> None:
        if isinstance(answer, Response):
            self._forget_asked()
            self._trusted, self._since = True, None
            if self.deadline is None or self.deadline > now + EVERY:
                self.deadline = now + EVERY
                self._layer.agenda.note(self)
        elif answer is Failure.TRANSPORT or self._trusted:
            self.stop()
            self._silent(self)

    def _forget_asked(self) -> None:
        asked, self._asked = self._asked, []
        for asking in asked:
            self._layer.drop_client(asking)


class Probes:
    """All probes, by the flow that they watch."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._by_flow: dict[Flow, Probe] = {}
        self._by_user: dict[str, Probe] = {}

    def watch(self, name: str, flow: Flow, identity: Identity, uri: str, *, now: float) -> None:
        """Ask the server that this flow leads to; ServerSilent names all that watch it so."""
        known = self._by_user.get(name)
        if known is not None and known.flow == flow:
            return
        self.leave(name)
        probe = self._by_flow.get(flow)
        if probe is None:
            probe = self._by_flow[flow] = Probe(self._layer, flow, identity, uri, self._tell)
        self._by_user[name] = probe
        probe.users[name] = None
        if len(probe.users) == 1:
            probe.wake(now=now)

    def leave(self, name: str) -> None:
        """The last one to leave ends it."""
        probe = self._by_user.pop(name, None)
        if probe is not None:
            probe.users.pop(name)
            if not probe.users:
                probe.stop()
                del self._by_flow[probe.flow]

    def _tell(self, probe: Probe) -> None:
        names = tuple(probe.users)
        for name in names:
            self.leave(name)
        self._layer.outbox.append(ServerSilent(names))
