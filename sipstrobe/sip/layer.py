"""The transaction layer: which message belongs to which transaction. RFC 3261 §17, §18."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from sipstrobe.sip.agenda import Agenda
from sipstrobe.sip.dialog import Draft
from sipstrobe.sip.exchange import Answered, Asking, Fields, MergeKey, ServerKey, Serving
from sipstrobe.sip.headers import MAGIC_COOKIE
from sipstrobe.sip.keyring import Keyring
from sipstrobe.sip.limits import ASTRAY, Limits
from sipstrobe.sip.mappings import Mappings
from sipstrobe.sip.message import Request, Response, respond
from sipstrobe.sip.outputs import Output, Send
from sipstrobe.sip.server import ServerTransaction
from sipstrobe.sip.server_invite import InviteServerTransaction
from sipstrobe.sip.target import another_way_back, way_back
from sipstrobe.sip.transaction import Failure
from sipstrobe.sip.transport import Address, Flow, Transport

Way = tuple[Transport, Address, str]

MAX_MTUS = 256  # hosts
MAX_TRANSACTIONS = 100_000  # a call leaves two behind for 32 s: 1,000 calls/s need 64,000
RETRY_AFTER = 5  # seconds; what a caller is told when a bound is reached


@dataclass(slots=True)
class Counters:
    """What has happened so far."""

    received: int = 0  # messages
    malformed: int = 0  # dropped, or answered 400
    absorbed: int = 0  # repeated requests that had no effect of their own
    stray: int = 0  # responses and ACKs that belong to nothing
    refused: int = 0  # requests turned down before a transaction was made
    overloaded: int = 0  # of these, because a bound was reached
    unacknowledged: int = 0  # timer H
    incoming_calls: int = 0
    outgoing_calls: int = 0


class Layer:
    """All transactions, their timers, and the way to the wire."""

    def __init__(
        self,
        outbox: deque[Output],
        random_bytes: Callable[[int], bytes],
        limits: Limits,
        *,
        max_transactions: int,
    ) -> None:
        self.outbox = outbox
        self.limits = limits
        self.agenda = Agenda()
        self.counters = Counters()
        self.clients: dict[tuple[str, str], Asking] = {}
        self._by_way: dict[Way, dict[Asking, None]] = {}  # the same, by where they are asked
        self.servers: dict[ServerKey, Serving] = {}
        self.merging: dict[MergeKey, Serving] = {}
        self.connections: set[int] = set()
        self._why = ""  # of the last failure to send
        self.udp_to_tcp = True
        self.mtus: dict[str, int] = {}  # of the ways to hosts, where they are small
        self._max_transactions = max_transactions
        self._random_bytes = random_bytes
        self._secret = random_bytes(16)
        self.mark = random_bytes(8).hex()  # in each branch of ours, so that we know it again
        self.keyring = Keyring(self.new_tag)
        self.mappings = Mappings()

    # --- randomness ------------------------------------------------------------------------

    def new_tag(self) -> str:
        """RFC 3261 §19.3: at least 32 random bits."""
        return self._random_bytes(8).hex()

    def new_branch(self) -> str:
        return f"{MAGIC_COOKIE}{self.mark}{self._random_bytes(8).hex()}"

    def random_below(self, n: int) -> int:
        return int.from_bytes(self._random_bytes(4)) % n

    # --- requests of ours ------------------------------------------------------------------

    def ask(self, draft: Draft, flow: Flow, answered: Answered, *, now: float) -> Asking:
        """Send a request in a transaction of its own."""
        asking = Asking(self, draft, flow, answered)
        asking.start(now=now)
        return asking

    def send_ack(self, draft: Draft, flow: Flow) -> Send:
        """Send an ACK for a 2xx, which has no transaction; the result sends it again."""
        send = Send(flow, draft.encode(self.via(flow, self.new_branch())))
        self.send(send.flow, send.data)
        return send

    def via(self, flow: Flow, branch: str) -> str:
        """Via of a request that goes this way: RFC 3261 §18.1.1, RFC 3581 §3."""
        # RFC 5923 §5: who wants to reach us may do so over the connection that this comes by.
        alias = ";alias" if flow.transport is Transport.TLS else ""
        sent_by = self.mappings.sent_by(flow)
        return f"SIP/2.0/{flow.transport} {sent_by};rport{alias};branch={branch}"

    def receive_response(self, response: Response, flow: Flow, *, now: float) -> None:
        """RFC 3261 §17.1.3; §8.1.3.3: more than one Via was not meant for us."""
        if len(response.vias) == 1:
            branch = response.vias[0].branch
            asking = self.clients.get((branch, response.cseq.method))
            if asking is not None:
                asking.receive(response, flow, now=now)
                return
        self.counters.stray += 1
        self.limits.charge(flow.remote.host, ASTRAY, now=now)

    def transport_failed(self, flow: Flow, why: str, *, now: float) -> None:
        """What was sent this way did not arrive: RFC 3261 §18.4. why: for people."""
        there = self._by_way.get(way(flow), {})
        hit = [a for a in there if a.flow.connection in (None, flow.connection)]
        self._why = why
        for asking in hit:
            asking.transport_failed(now=now)

    def why(self, failure: Failure) -> str:
        """In words for people, while that is being told."""
        return self._why if failure is Failure.TRANSPORT else "there is no answer"

    @property
    def waiting(self) -> bool:
        """A request of ours has no final response yet."""
        return any(asking.open for asking in self.clients.values())

    # --- requests of others ----------------------------------------------------------------

    @property
    def full(self) -> bool:
        return len(self.servers) + len(self.clients) >= self._max_transactions

    def serve(self, request: Request, flow: Flow, key: ServerKey, *, now: float) -> Serving:
        """A server transaction for a request that has none yet."""
        serving = Serving(self, request, way_back(request.via, flow), key)
        reliable = flow.transport.reliable
        if request.method == "INVITE":
            serving.transaction = InviteServerTransaction(
                serving.trying, reliable=reliable, now=now
            )
            self.agenda.note(serving)
        else:
            serving.transaction = ServerTransaction(reliable=reliable)
        self.servers[key] = serving
        return serving

    def note_merging(self, serving: Serving, request: Request) -> None:
        """Remember a request outside of dialogs, to know it again on another path."""
        serving.merged = merge_key(request)
        self.merging[serving.merged] = serving

    def reply(
        self,
        request: Request,
        flow: Flow,
        status: int,
        headers: Fields = (),
        *,
        to_tag: str = "",
    ) -> None:
        """Answer without a transaction: a repeated request gets the same answer again.

        RFC 3261 §8.2.7: the tag follows from the request, and nothing is remembered, so that no
        flood of requests can fill the memory.
        """
        to_tag = to_tag or self.tag_without_memory(request, flow)
        response = respond(request, status, to_tag=to_tag, headers=headers)
        self.send(way_back(request.via, flow), bytes(response))

    def tag_without_memory(self, request: Request, flow: Flow) -> str:
        """The tag that a request from there is answered with; only who is there can know it."""
        names = (*request.headers.lines("Call-ID"), *request.headers.lines("From"))
        name = "\0".join((flow.remote.host, *names))
        digest = blake2b(name.encode(errors="replace"), key=self._secret, digest_size=8)
        return digest.hexdigest()

    # --- the wire --------------------------------------------------------------------------

    def send(self, flow: Flow, data: bytes) -> None:
        self.outbox.append(Send(flow, data))

    def give_back(self, serving: Serving, data: bytes) -> None:
        """Send a response; if the connection is gone, over another one: RFC 3261 §18.2.2."""
        flow = serving.flow
        if flow.connection is not None and flow.connection not in self.connections:
            another = another_way_back(serving.port, flow)
            if another is None:
                return
            flow = serving.flow = another
        self.outbox.append(Send(flow, data))

    def drop_server(self, serving: Serving) -> None:
        self.agenda.forget(serving)
        if self.servers.get(serving.key) is serving:
            del self.servers[serving.key]
        if serving.merged is not None and self.merging.get(serving.merged) is serving:
            del self.merging[serving.merged]

    def enter_client(self, asking: Asking) -> None:
        self.limits.prove(asking.flow.remote.host)  # it may answer, since we have asked
        self.clients[asking.key] = asking
        self._by_way.setdefault(way(asking.flow), {})[asking] = None

    def leave_client(self, asking: Asking) -> None:
        """No response finds this request any more."""
        there = self._by_way.get(way(asking.flow))
        if self.clients.get(asking.key) is not asking or there is None:
            return
        del self.clients[asking.key]
        del there[asking]
        if not there:
            del self._by_way[way(asking.flow)]

    def drop_client(self, asking: Asking) -> None:
        self.agenda.forget(asking)
        self.leave_client(asking)

    def wake(self, *, now: float) -> None:
        for item in self.agenda.due(now):
            item.wake(now=now)
        for table in (self.servers, self.clients, self.merging):
            if not table:
                table.clear()  # a dict keeps the room of its best days otherwise


def way(flow: Flow) -> Way:
    """What the flows have in common that fail together."""
    return (flow.transport, flow.remote, flow.server_name)


def server_key(request: Request) -> ServerKey:
    """What a repetition of this request has in common with it, ACK to a rejection included.

    RFC 3261 §17.2.3. The second form is for senders of RFC 2543, whose branch is no name; To is
    left out of it, since an ACK has the tag that we gave and the INVITE has not.
    """
    via = request.via
    method = "INVITE" if request.method == "ACK" else request.method
    branch = via.params.get("branch", "")
    if branch.startswith(MAGIC_COOKIE):
        return (branch, via.host, via.port, method)
    number = request.cseq.number
    return (request.uri, request.from_.tag, request.call_id, number, str(via), method)


def merge_key(request: Request) -> MergeKey:
    """RFC 3261 §8.2.2.2: what a request that came on two paths has in common with itself."""
    return (request.from_.tag, request.call_id, request.cseq.number)
