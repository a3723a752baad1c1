"""The web door: the page, the API, and the interfaces that other programs already know.

Light to import: aiohttp is loaded when the server starts, beside the loop.
"""

import asyncio
import logging
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from sipstrobe.config.passwords import COST, Cost
from sipstrobe.config.store import Store
from sipstrobe.config.users import Role
from sipstrobe.context import Context
from sipstrobe.events import AddressBlocked, SignInFailed
from sipstrobe.trace import Actor
from sipstrobe.web import declared, page_sdp, pages
from sipstrobe.web.api import Api
from sipstrobe.web.audit import AuditDoor, actor_of
from sipstrobe.web.calendar import CalendarDoor
from sipstrobe.web.calls import Calls
from sipstrobe.web.certificates import CertificatesDoor
from sipstrobe.web.clips import ClipsDoor
from sipstrobe.web.commands import Commands
from sipstrobe.web.compat.audio_multicast import AudioMulticast
from sipstrobe.web.compat.call import CallDoor
from sipstrobe.web.compat.live_audio import LiveAudio
from sipstrobe.web.compat.media_clips import MediaClips
from sipstrobe.web.compat.mqtt_client import MqttClient
from sipstrobe.web.compat.mqtt_event import MqttEvent
from sipstrobe.web.compat.port import PortCgi
from sipstrobe.web.compat.port_management import PortManagement
from sipstrobe.web.compat.rest_door import RestDoor
from sipstrobe.web.compat.siren_and_light import SirenAndLight
from sipstrobe.web.compat.supervised_io import SupervisedIo
from sipstrobe.web.compat.virtual_input import VirtualInput
from sipstrobe.web.description import LIVE_PATH, described
from sipstrobe.web.detour import Detour
from sipstrobe.web.device import HttpClient
from sipstrobe.web.device_doors import device_doors
from sipstrobe.web.exchange import HttpProblem, Request, Response, Route
from sipstrobe.web.facts import Fact, Hashed, SignedIn, SignedOut
from sipstrobe.web.gate import Gate
from sipstrobe.web.happenings import HappeningsDoor
from sipstrobe.web.live import AFTER, Listener, Live
from sipstrobe.web.mqtt import MqttDoor
from sipstrobe.web.outbox import OutboxDoor
from sipstrobe.web.presence import Presence
from sipstrobe.web.profile_doors import profile_doors
from sipstrobe.web.recordings import RecordingsDoor
from sipstrobe.web.router import Router
from sipstrobe.web.rules import RulesDoor
from sipstrobe.web.schedules import SchedulesDoor
from sipstrobe.web.settings import SettingsDoor
from sipstrobe.web.signing_in import SigningIn
from sipstrobe.web.sound import SoundDoor
from sipstrobe.web.status import Status
from sipstrobe.web.system import system_doors
from sipstrobe.web.talk import TalkDoor
from sipstrobe.web.tokens import TokensDoor
from sipstrobe.web.users import Accounts, UsersDoor
from sipstrobe.web.views import Views
from sipstrobe.web.visitors import Visitors
from sipstrobe.web.why import WhyDoor

if TYPE_CHECKING:
    from sipstrobe.web.connections import Door, Entrance
    from sipstrobe.web.http import HttpServer

logger = logging.getLogger(__name__)

STORING_LIMIT = 5.0  # seconds until a change of the settings that is not stored has failed
_ISOLATED = ("Cross-Origin-Opener-Policy", "same-origin")  # only heard of over HTTPS
_STRICT = ("Strict-Transport-Security", "max-age=31536000")


class WebServer:
    """Serve HTTP and WebSocket on as many addresses as it is told to.

    strict: whether browsers are told to come by HTTPS only from now on (RFC 6797).
    """

    strict = False

    def __init__(self, context: Context, store: Store, views: Views, *, cost: Cost = COST) -> None:
        """cost: of the hashes of new passwords."""
        self._context = context
        self._store = store
        self._views = views
        self._visitors = Visitors()
        self.gate = Gate(
            lambda: store.current.web,
            context.random_bytes,
            self._tell,
            context.clock.wall,
            context.clock.now,
            cost,
        )
        self.accounts = Accounts(context.dispatcher, store, self.gate)
        self._presence = Presence(context.clock)
        self._status = Status(context.clock, lambda: store.current, views)
        self._live = Live(context, views, self._status)
        self._calls = CallDoor(context, lambda: store.upcoming, views, self._needing)
        self.routes: Sequence[Route] = self._routes(views)
        self._router = Router(context, self.gate, self.routes, self._note, self._visitors.note)
        self._http: HttpServer | None = None
        self._unwatch = store.watch(
            lambda s: (s.web.users, s.web.tokens, s.web.anonymous_viewing),
            lambda _: self._presence.review(),
        )

    async def open(self, host: str, port: int, entrance: "Entrance") -> "Door":
        """Listen on this address; port 0 takes a free one. Raises OSError if it is taken."""
        await asyncio.to_thread(import_module, "sipstrobe.web.http")
        from sipstrobe.web.http import HttpServer

        if self._http is None:
            self._http = HttpServer(self, self._context.clock, Detour(self._https_address))
        return await self._http.listen(host, port, entrance)

    @property
    def doors(self) -> "list[Door]":
        """Those that are open."""
        return self._http.doors if self._http else []

    def _clients(self) -> Sequence[HttpClient]:
        return self._http.clients() if self._http else []

    def _https_address(self) -> tuple[str, int] | None:
        encrypted = [door for door in self.doors if door.entrance.serves == "encrypted"]
        return encrypted[0].addresses[0] if encrypted else None

    async def aclose(self) -> None:
        self._unwatch()
        self._presence.close()
        self._live.close()
        self._calls.close()
        self.gate.close()
        if self._http is not None:
            await self._http.aclose()

    # --- the desk of web.http ---------------------------------------------------------------

    def body_max_bytes(self, method: str, path: str) -> int:
        return self._router.body_max_bytes(method, path)

    def is_streamed(self, method: str, path: str) -> bool:
        return self._router.is_streamed(method, path)

    async def respond(self, request: Request) -> Response:
        """Answer when what was asked for is stored, so that whoever asks next sees it."""
        response = await self._answer(request)
        if not request.secure:
            return response
        return response.with_headers(_ISOLATED, *((_STRICT,) if self.strict else ()))

    async def _answer(self, request: Request) -> Response:
        if not self._router.acts(request.method, request.path):
            return await self._router.respond(request)
        while self._views.settled() is not None and await self._stored():
            pass  # meanwhile others may have asked for more
        before = self._views.settled()  # a disk that hangs holds up changes, and nothing else
        response = await self._router.respond(request)
        if self._views.settled() is before or await self._stored():
            return response
        return self._router.unstored(request)

    async def listen(self, request: Request) -> Listener | Response:
        try:
            if request.path != LIVE_PATH:
                raise HttpProblem(404, "there is nothing to listen to here")
            if self.gate.must_prove(request):
                await self.gate.prove(request)
            who = self.gate.admit(request, Role.VIEWER)
            listener = self._live.listen(AFTER.of(request), who.name)
            self._presence.add(listener, self.gate.keeps(request, who))
            return listener
        except HttpProblem as refusal:
            return refusal.response()

    # ------------------------------------------------------------------------------------------

    def _needing(self, request: Request, role: Role) -> HttpProblem:
        """The refusal of one that is let in, but not for this."""
        return self.gate.challenge(request, f"this needs the role {role.value}")

    async def _stored(self) -> bool:
        """Wait until the settings are stored as they are now wanted; False if that failed."""
        stored = self._views.settled()
        if stored is None:
            return True
        try:
            async with asyncio.timeout(STORING_LIMIT):
                await asyncio.shield(stored)
        except (OSError, TimeoutError):
            return False
        return True

    def _routes(self, views: Views) -> list[Route]:
        context, store = self._context, self._store
        doors = (
            Api(self.gate, context.measures, self._status),
            SigningIn(self.gate, self.accounts, self._https_address),
            AuditDoor(views.audit),
            UsersDoor(self.accounts, self.gate),
            TokensDoor(context.dispatcher, context.clock, store, self.gate, context.random_bytes),
            CertificatesDoor(context.dispatcher, context.clock, store, views.own_certificate),
            Commands(context.dispatcher),
            Calls(context.dispatcher, context.clock, views),
            ClipsDoor(context.dispatcher, views),
            MediaClips(context.dispatcher, views, context.random_bytes),
            LiveAudio(views),
            VirtualInput(context.dispatcher),
            PortCgi(context.dispatcher, context.bus, context.clock, views),
            PortManagement(context.dispatcher, views),
            SupervisedIo(context.dispatcher, views),
            *system_doors(context, store, views, self._status, self._clients, self._visitors.name),
            TalkDoor(views.talk, self.gate.keeps),
            *profile_doors(context, store, views, self.gate.keeps),
            SettingsDoor(context.dispatcher, context.clock, store, self.gate.insists),
            SoundDoor(views),
            RulesDoor(context.dispatcher, context.clock, store, views),
            WhyDoor(context.clock, views),
            HappeningsDoor(context.clock, views),
            RecordingsDoor(views),
            SchedulesDoor(views),
            CalendarDoor(views),
            OutboxDoor(views),
            SirenAndLight(
                context.dispatcher,
                context.clock,
                views,
                lambda: store.current.profiles,
                lambda: store.current.clips,
            ),
            MqttClient(context.dispatcher, lambda: store.current, views.mqtt),
            MqttEvent(context.dispatcher, lambda: store.current.mqtt),
            MqttDoor(context.clock, lambda: store.current),
            *device_doors(context, store, self.gate, self.accounts, views, self._needing),
            self._calls,
            RestDoor([AudioMulticast(context.dispatcher, store, context.random_bytes).api()]),
        )
        return described(
            [
                *pages.routes(),
                *page_sdp.routes(),
                *declared.routes(),
                *(route for door in doors for route in door.routes()),
            ]
        )

    def _tell(self, fact: Fact) -> None:
        """Nobody has signed in, so that there is no cause yet."""
        context = self._context
        match fact:
            case SignInFailed() | AddressBlocked():
                words = f"a request from {fact.address}"
                with context.trace.input("http", words, context.clock.now()):
                    context.bus.publish(fact)
            case Hashed(user, hashed):
                with context.trace.input("http", "a password was proven", context.clock.now()):
                    self.accounts.add_hash(user, hashed)
            case SignedIn(name, address):
                self._views.audit.note(
                    Actor(way="account", who=name, address=address), "sign in", "let in"
                )
            case SignedOut(name, address, everywhere):
                what = "sign out everywhere" if everywhere else "sign out"
                self._views.audit.note(Actor(way="account", who=name, address=address), what, "")
                self._presence.review()

    def _note(self, request: Request, status: int) -> None:
        actor = actor_of(request.principal, request.peer)
        self._views.audit.note(actor, f"{request.method} {request.path}", str(status))
