"""A scene in which the peer is a registrar."""

from sipstrobe.secret import Secret
from sipstrobe.sip.identity import Binding, Credential, Identity
from sipstrobe.sip.message import Request, received_from, respond
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Address, Flow
from tests.sip.scene import UDP, Fields, Scene

AOR = "sip:100@pbx.example"
INSTANCE = "urn:uuid:00000000-0000-1000-8000-000a95a0e128"
US = Identity(AOR, "Gate", (Credential("100", Secret("swordfish")),))
CHALLENGE = 'Digest realm="pbx.example", nonce="{nonce}", algorithm=MD5, qop="auth"'


def binding(identity: Identity = US, *, expires: int = 3600, outbound: bool = False) -> Binding:
    return Binding(identity, "sip:pbx.example", expires, INSTANCE if outbound else "")


class Office(Scene):
    """`registered` brings about what its name says."""

    def __init__(self, settings: SipSettings | None = None, *, flow: Flow = UDP) -> None:
        super().__init__(settings, flow=flow)
        self.way = flow  # of the last `next_request`

    def register(
        self, wanted: Binding | None = None, *, name: str = "gate", flow: Flow | None = None
    ) -> Request:
        """The result is the REGISTER."""
        self.endpoint.register(name, wanted or binding(), flow or self.flow, now=self.now)
        self.collect()
        return self.request()

    def next_request(self, before: float) -> Request:
        """Let time pass until something is sent."""
        while not self.sent:
            at = self.endpoint.deadline
            assert at is not None, "nothing is planned"
            assert at <= before, at
            self.until(at)
        self.way = self.sends[-1].flow
        return self.request()

    def challenge(
        self, request: Request, status: int = 401, *, nonce: str = "n1", fields: Fields = ()
    ) -> None:
        name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
        asked = ((name, CHALLENGE.format(nonce=nonce)),)
        self.answer(request, status, fields=fields or asked)

    def grant(
        self,
        request: Request,
        *,
        expires: int = 3600,
        fields: Fields = (),
        params: str = "",
        seen: Address | None = None,
        flow: Flow | None = None,
    ) -> None:
        """200; seen: where the request came from, as the registrar saw it."""
        contact = f"<{request.contacts[0].uri}>;expires={expires}{params}"
        headers = (("Contact", contact), *fields)
        if seen is not None:
            request = received_from(request, seen.host, seen.port)
        self.hear(respond(request, 200, to_tag="pbx", headers=headers), flow)

    def registered(
        self,
        wanted: Binding | None = None,
        *,
        name: str = "gate",
        fields: Fields = (),
        params: str = "",
    ) -> None:
        self.grant(self.register(wanted, name=name), fields=fields, params=params)
        self.news.clear()
        self.take()
