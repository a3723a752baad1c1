"""A device with a page: real light and siren, real settings in memory, made-up calls."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sipstrobe.commands import AnswerCall, ChangeSettings, HangUp, SetManualTrigger
from sipstrobe.config.settings import Settings
from sipstrobe.config.store import Store
from sipstrobe.config.users import Role, make_user
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Function, ManualTriggerChanged
from sipstrobe.lightsiren.settings import MaintenanceSettings
from sipstrobe.services.signals import Signals
from sipstrobe.web.server import WebServer
from sipstrobe.web.views import Views

PASSWORDS = {"ada": "correct horse battery", "olga": "operator's secret", "victor": "only looking"}
ROLES = {"ada": Role.ADMINISTRATOR, "olga": Role.OPERATOR, "victor": Role.VIEWER}
USERS = tuple(make_user(name, ROLES[name], password) for name, password in PASSWORDS.items())


@dataclass(kw_only=True)
class FakeCall:
    """A call as the phone would show it."""

    id: str = "c1"
    direction: str = "incoming"
    account: str = "Peer to peer"
    local_uri: str = "sip:1001@192.0.2.10"
    remote_uri: str = "sip:alice@192.0.2.77"
    extension: str = "1001"
    state: str = "active"
    since: float = 0.0
    codec: str = "PCMU"
    level_db: float = -18.0
    packets_received: int = 512
    packets_lost: int = 3
    jitter_ms: float = 4.2
    transport: str = "UDP"


@dataclass
class Device:
    """The parts of one device, put together as the app does it, without SIP and sound."""

    context: Context
    store: Store
    signals: Signals
    calls: list[FakeCall] = field(default_factory=list[FakeCall])
    triggers: dict[int, bool] = field(default_factory=lambda: {1: False, 2: False})
    rules: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    outputs: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    registrations: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    services: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def make(cls, context: Context, users: Sequence[Any] = USERS, **settings: Any) -> "Device":
        quiet = MaintenanceSettings(active=False)
        store = Store.memory(Settings(maintenance=settings.pop("maintenance", quiet), **settings))
        store.change_now({"web": {"users": users}})
        device = cls(context, store, Signals(context))
        store.watch(lambda s: s.profiles, device.signals.apply_profiles)
        store.watch(lambda s: s.maintenance, device.signals.apply_maintenance)
        serve = context.dispatcher.serve
        serve(ChangeSettings, device._change)
        serve(SetManualTrigger, device._set_trigger)
        serve(HangUp, device._hang_up)
        serve(AnswerCall, device._answer)
        return device

    def views(self) -> Views:
        return Views(
            operations=self.signals.status,
            maintenance=lambda: self.signals.maintenance,
            health=lambda: self.signals.last_health_check,
            frame=self.signals.frame,
            watch_frames=self.signals.watch_frames,
            calls=lambda: self.calls,
            registrations=lambda: self.registrations,
            outputs=lambda: self.outputs,
            services=lambda: self.services,
            listening=lambda: ["sip:192.0.2.10:5060"],
            triggers=lambda: self.triggers,
            rules=lambda: self.rules,
        )

    @asynccontextmanager
    async def served(self) -> AsyncGenerator[str]:
        """Serve on a free port; gives the URL."""
        server = WebServer(self.context, self.store, self.views())
        await server.start("127.0.0.1", 0)
        try:
            host, port = server.addresses[0]
            yield f"http://{host}:{port}"
        finally:
            await server.aclose()
            self.signals.close()

    def running(self, function: Function) -> list[str]:
        return [o.pattern for o in self.signals.status() if o.function is function]

    def _change(self, command: ChangeSettings) -> int:
        return self.store.change_now(command.patch, revision=command.revision).revision

    def _set_trigger(self, command: SetManualTrigger) -> None:
        if command.trigger not in self.triggers:
            raise CommandRefused("unknown_trigger", f"there is no trigger {command.trigger}")
        self.triggers[command.trigger] = command.active
        self.context.bus.publish(
            ManualTriggerChanged(trigger=command.trigger, active=command.active)
        )

    def _hang_up(self, command: HangUp) -> None:
        kept = [call for call in self.calls if command.call not in (None, call.id)]
        if command.call is not None and len(kept) == len(self.calls):
            raise CommandRefused("unknown_call", f"there is no call {command.call!r}")
        self.calls[:] = kept

    def _answer(self, command: AnswerCall) -> None:
        for call in self.calls:
            if command.call in (None, call.id) and call.state == "ringing":
                call.state = "active"
                return
        raise CommandRefused("not_ringing", "nothing rings")
