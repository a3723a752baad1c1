"""The way of one call's media through address translation: what SDP says of our addresses, and by
which way datagrams go once both sides are known.

Each help may be switched on alone or with others (SIP-10). Without ICE the best address that could
be had is the one in SDP: that of a relay, else our public one, else our own. With ICE all of them
are candidates, and what works is found out.
"""

import asyncio
import base64
import ipaddress
import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct, structs

from sipstrobe.context import Context
from sipstrobe.io.udp import Endpoint, PortPairs, Receive
from sipstrobe.nat.checks import foundation, priority
from sipstrobe.sdp.candidates import Candidate, IceDescription, read
from sipstrobe.sdp.description import SessionDescription
from sipstrobe.sdp.negotiate import MediaParameters, Offerable
from sipstrobe.services.component import Component, Way
from sipstrobe.services.relay import RelayServer

if TYPE_CHECKING:
    from sipstrobe.io.ice import IceAgent

logger = logging.getLogger(__name__)

PREPARE_LIMIT: Final = 3.0  # seconds that a call waits for its addresses
MAX_ADDRESSES: Final = 6  # of our own, with which we are candidates


class Router(Protocol):
    """Who lets others in (UPnP): services.router."""

    async def open(self, ports: tuple[int, ...]) -> tuple[Endpoint, ...]:
        """The public endpoints of these UDP ports of ours; () when the router does not do it."""
        ...

    def close(self, ports: tuple[int, ...]) -> None: ...


class Plan(Struct, frozen=True, kw_only=True):
    """What helps there are. stun: the server that is asked for our public address; relays: the
    servers that lend relays, the preferred first; addresses: our own, by which ICE may go, none
    when there is to be no ICE."""

    stun: Endpoint | None = None
    relays: tuple[RelayServer, ...] = ()
    router: Router | None = None
    addresses: tuple[str, ...] = ()


class MediaPath:
    """Ports of one stream (as services.channel.Ports), and the way from them to the peer.

    host: our own address on the way to the peer; peer: where its signalling comes from. find: says
    what helps there are, when it is known; tasks: keeps what ends beside the loop. ready: told when
    media can flow, where that takes time after both sides are known; concluded: when ICE has done
    all that it can.
    """

    def __init__(
        self,
        context: Context,
        ports: PortPairs,
        host: str,
        peer: str,
        find: Callable[[], Coroutine[object, object, Plan]],
        tasks: set[asyncio.Task[None]],
    ) -> None:
        self.ready: Callable[[], None] | None = None
        self.concluded: Callable[[], None] | None = None
        self.problem = ""  # why something that was wanted did not help
        self._context = context
        self._ports = ports
        self._host = host
        self._peer = peer
        self._find = find
        self._ending = tasks
        self._plan = Plan()
        self._components: tuple[Component, ...] = ()
        self._routed = False
        self._closed = False
        self._controlling = False
        self._done = False  # ICE has
        self._agent: IceAgent | None = None
        self._ours: IceDescription | None = None
        self._theirs: IceDescription | None = None

    def open(
        self, receive_rtp: Receive, receive_rtcp: Receive, *, polled: bool
    ) -> tuple[Component, Component]:
        """Raises OSError when no pair of ports is free."""
        rtp = Component(self._context, 1, receive_rtp)
        rtcp = Component(self._context, 2, receive_rtcp)
        sockets = self._ports.open(rtp.from_socket, rtcp.from_socket, polled=polled)
        for component, socket in zip((rtp, rtcp), sockets, strict=True):
            component.attach(socket)
            component.lost = self._trouble
        self._components = (rtp, rtcp)
        return rtp, rtcp

    def close(self) -> None:
        """The stream closes the sockets; all else ends here."""
        self.ready = self.concluded = None
        self._closed = True
        self._end_agent()
        if self._plan.router is not None and self._routed:
            self._plan.router.close(tuple(c.port for c in self._components))

    # --- before offer and answer ----------------------------------------------------------------

    async def prepare(self, *, offering: bool) -> None:
        """Learn by which addresses we can be reached; what fails is a `problem`. Takes no longer
        than PREPARE_LIMIT."""
        self._controlling = offering  # RFC 8445 §6.1.1
        rtp = self._components[0]
        rtp.look_out(True)
        try:
            async with asyncio.timeout(PREPARE_LIMIT):
                self._plan = await self._find()
                await asyncio.gather(self._learn(), self._borrow(), self._route())
        except TimeoutError:
            self.problem = self.problem or "the servers that help with addresses are too slow"
        if self._closed:
            return  # the call has ended meanwhile
        if self._plan.addresses:
            self._begin()
        else:
            rtp.look_out(False)
        self.problem = self.problem or next((c.problem for c in self._components if c.problem), "")
        if self.problem:
            logger.warning("port %d: %s", rtp.port, self.problem)

    async def _learn(self) -> None:
        server = self._plan.stun
        if server is not None:
            await asyncio.gather(*(c.learn(server) for c in self._components))

    async def _borrow(self) -> None:
        for server in self._plan.relays:
            relays = await asyncio.gather(*(c.borrow(server) for c in self._components))
            if all(relays) or self._closed:
                return
            for component in self._components:
                component.give_back()

    async def _route(self) -> None:
        if self._plan.router is None:
            return
        found = await self._plan.router.open(tuple(c.port for c in self._components))
        self._routed = bool(found)
        for component, address in zip(self._components, found, strict=False):
            component.mapped = component.mapped or address

    # --- what SDP says --------------------------------------------------------------------------

    def describe(self, ours: Offerable, *, offering: bool) -> Offerable:
        """The same with the addresses by which we can be reached."""
        rtp, rtcp = (self._default(c) for c in self._components)
        ice = self._ours
        if ice is not None and self._chosen:
            rtp, rtcp = (self._address(c) for c in self._components)
            ice = self._settled(ice, (rtp, rtcp), offering=offering)
        return structs.replace(ours, host=rtp[0], rtp_port=rtp[1], rtcp_port=rtcp[1], ice=ice)

    def _default(self, component: Component) -> Endpoint:
        """RFC 8445 §5.1.4: where somebody without ICE reaches us most likely."""
        relay = component.relay
        if relay is not None and relay.address is not None:
            return relay.address
        return component.mapped or (self._host, component.port)

    def _address(self, component: Component) -> Endpoint:
        """RFC 8839 §4.4.1.2.2: that of the pair that was found; without one, the next to RTP's."""
        selected = component.selected
        if selected is None:
            host, port = self._address(self._components[0])
            return host, port + 1
        found = Candidate.parse(selected.local)
        if found.kind == "relay":
            return found.host, found.port
        return component.mapped or (self._host, component.port)

    @property
    def _chosen(self) -> bool:
        """ICE has done all that it can, and one host is good for both components, as c= wants."""
        if not self._done or self._components[0].selected is None:
            return False
        return len({self._address(c)[0] for c in self._components}) == 1

    def _settled(
        self, ice: IceDescription, defaults: tuple[Endpoint, ...], *, offering: bool
    ) -> IceDescription:
        """RFC 8839 §4.4.1.2.2: what was chosen, and by an offer of the controlling side also
        whom."""
        candidates = tuple(c for c in ice.candidates if (c.host, c.port) in defaults)
        remote: tuple[tuple[int, str, int], ...] = ()
        if offering and self._controlling:
            chosen = ((c.number, c.selected) for c in self._components)
            remote = tuple((n, *pair.remote) for n, pair in chosen if pair is not None)
        return replace(ice, candidates=candidates, remote=remote)

    # --- ICE ------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Have words and candidates of our own, and answer checks from now on."""
        from sipstrobe.io.ice import IceAgent

        self._done = False
        candidates = tuple(self._candidates())
        self._ours = ours = IceDescription(
            ufrag=self._word(3), pwd=self._word(18), candidates=candidates
        )
        self._agent = agent = IceAgent(
            len(self._components),
            controlling=self._controlling,
            ufrag=ours.ufrag,
            pwd=ours.pwd,
            ready=self._connected,
            completed=self._conclude,
            ended=self._disconnected,
        )
        agent.on_proof = self._prove
        for component in self._components:
            here = [c for c in candidates if c.component == component.number]
            relayed = next((str(c) for c in here if c.kind == "relay"), None)
            component.use(agent, str(here[0]), relayed)

    def _word(self, octets: int) -> str:
        """RFC 8445 §5.3: random, in the alphabet of RFC 8839 §5.4, which is that of base64."""
        return base64.b64encode(self._context.random_bytes(octets)).decode()

    def _candidates(self) -> Iterable[Candidate]:
        for component in self._components:
            known: set[Endpoint] = set()
            for one in self._candidates_of(component):
                if (one.host, one.port) not in known:  # RFC 8445 §5.1.3: redundant otherwise
                    known.add((one.host, one.port))
                    yield one

    def _candidates_of(self, component: Component) -> Iterable[Candidate]:
        base = (self._host, component.port)
        for n, host in enumerate(self._plan.addresses):
            yield _candidate("host", component.number, (host, component.port), preference=65535 - n)
        if component.mapped is not None:
            yield _candidate("srflx", component.number, component.mapped, related=base)
        relay = component.relay
        if relay is not None and relay.address is not None:
            related = relay.mapped or base
            yield _candidate("relay", component.number, relay.address, related=related)

    def heed(self, offer: SessionDescription) -> None:
        """An offer of the peer: with new words of its own all is tried anew (RFC 8445 §9), while
        media goes on where it goes. Raises RemoteProtocolError for words that are none."""
        audio = next((m for m in offer.media if m.kind == "audio" and m.port), None)
        theirs = None if audio is None else read(offer, audio)
        if self._theirs is not None and theirs is not None and theirs.restarts(self._theirs):
            logger.info("port %d: ICE begins anew", self._components[0].port)
            self._end_agent()
            self._theirs = None
            self._begin()

    # --- both sides are known -------------------------------------------------------------------

    def agree(self, agreed: MediaParameters) -> bool:
        """Take the way to this peer; False when it has to be found first, and `ready` follows."""
        if self._agent is None or agreed.ice is None:
            self._end_agent()
            self._ours = None
            self._go(agreed.host)
            return True
        hosts = (agreed.host, agreed.rtp_port), (agreed.host, agreed.rtcp_port)
        for component, remote in zip(self._components, hosts, strict=True):
            component.way, component.remote = Way.ICE, remote
        if self._theirs is None:
            self._theirs = agreed.ice
            self._connect(self._agent, agreed.ice)
        return self.found

    @property
    def found(self) -> bool:
        """Datagrams can go: at once without ICE, and with it once there is a pair."""
        rtp = self._components[0]
        return rtp.way is not Way.ICE or rtp.selected is not None

    @property
    def checked(self) -> bool:
        """The peer has shown that it is where we send to (RFC 8445 §19.5.1)."""
        return self._components[0].way is Way.ICE

    def outdated(self, ours: Offerable) -> bool:
        """Whether SDP should be exchanged anew, since ICE has found another address than it names
        (RFC 8839 §4.4.1.2.2: the controlling side says so)."""
        rtp = self._components[0]
        if not self._controlling or rtp.way is not Way.ICE or not self._chosen:
            return False
        return self._address(rtp) != (ours.host, ours.rtp_port)

    @property
    def words(self) -> str:
        """Which way media takes, for people; empty: as if there were no translation."""
        rtp = self._components[0]
        match rtp.way:
            case Way.RELAYED if rtp.relay is not None:
                return f"through the relay of {rtp.relay.server}"
            case Way.ICE:
                return self.problem if rtp.selected is None else f"ICE: {rtp.selected}"
            case _:
                return "" if rtp.mapped is None else f"as {_words(rtp.mapped)}"

    def _go(self, host: str) -> None:
        """Without ICE: by the way that SDP names."""
        self._components[0].look_out(False)
        for component in self._components:
            relay = component.relay
            if relay is not None and relay.address is not None:
                component.way = Way.RELAYED
                for one in {host, self._peer}:  # behind a NAT it sends from elsewhere
                    if _is_address(one):
                        relay.permit(one)
            else:
                component.way = Way.DIRECT
                if component.mapped is not None and self._plan.stun is not None:
                    component.keep()

    def _connect(self, agent: "IceAgent", theirs: IceDescription) -> None:
        from sipstrobe.io.ice import Remote

        usable = tuple(str(c) for c in theirs.candidates if _is_address(c.host))
        agent.start(
            Remote(
                ufrag=theirs.ufrag,
                pwd=theirs.pwd,
                candidates=usable,
                lite=theirs.lite,
                # RFC 8838 §14: what trickles in later than this finds its way by its checks.
                ended=bool(usable),
            )
        )

    def _prove(self, component: int) -> None:
        self._components[component - 1].prove()

    def _connected(self) -> None:
        rtp = self._components[0]
        logger.info("port %d: ICE has found %s", rtp.port, rtp.selected)
        rtp.look_out(False)
        for component in self._components:
            component.flush()
        if self.ready is not None:
            self.ready()

    def _conclude(self) -> None:
        self._done = True
        if self.concluded is not None:
            self.concluded()

    def _disconnected(self, words: str) -> None:
        self._trouble(f"ICE: {words}")

    def _trouble(self, words: str) -> None:
        self.problem = words
        logger.warning("port %d: %s", self._components[0].port, words)

    def _end_agent(self) -> None:
        agent, self._agent = self._agent, None
        if agent is not None:
            task = asyncio.get_running_loop().create_task(agent.aclose())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


def _candidate(
    kind: str,
    component: int,
    address: Endpoint,
    *,
    related: Endpoint | None = None,
    preference: int = 65535,
) -> Candidate:
    base = related[0] if kind == "srflx" and related is not None else address[0]
    return Candidate(
        foundation=foundation(kind, base),
        component=component,
        transport="udp",
        priority=priority(kind, preference, component),
        host=address[0],
        port=address[1],
        kind=kind,
        related=related,
    )


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _words(address: Endpoint) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
