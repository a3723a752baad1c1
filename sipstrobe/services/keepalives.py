"""Keep-alives over UDP by STUN, joined from SIP and NAT: RFC 5626 §3.5.2, §4.4.2."""

from collections.abc import Callable

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.machine import Driver
from sipstrobe.nat import stun
from sipstrobe.services.transports import SipTransports
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.outputs import KeepAlive, KeepAliveAnswer, Output
from sipstrobe.sip.transport import Address, Flow

MAX_ASKED = 1024  # flows whose answer is awaited; the oldest is not recognised any more


class KeepAlives:
    """Ask how a flow is seen at its other end, and report the answer."""

    def __init__(
        self,
        random_bytes: Callable[[int], bytes],
        driver: Driver[Output],
        endpoint: Endpoint,
        transports: SipTransports,
    ) -> None:
        self._random_bytes = random_bytes
        self._driver = driver
        self._endpoint = endpoint
        self._transports = transports
        self._asked: dict[Flow, bytes] = {}  # the transaction ID

    def ask(self, wish: KeepAlive) -> None:
        """Send a binding request; the same again if the last has no answer yet."""
        transaction_id = self._asked.setdefault(wish.flow, self._random_bytes(12))
        if len(self._asked) > MAX_ASKED:
            del self._asked[next(iter(self._asked))]
        request = stun.build(stun.Method.BINDING, stun.Class.REQUEST, transaction_id)
        self._transports.send(wish.flow, request)

    def take(self, news: KeepAliveAnswer) -> None:
        """Read what has come by a flow; what answers no question of ours is passed over."""
        try:
            message = stun.parse(news.data)
            mapped = message.mapped
        except RemoteProtocolError:
            return
        response = message.kind in (stun.Class.SUCCESS, stun.Class.ERROR)
        if not response or message.transaction_id != self._asked.get(news.flow):
            return
        del self._asked[news.flow]
        public = None if mapped is None else Address(*mapped)
        self._driver.feed(self._endpoint.mapped, news.flow, public)
