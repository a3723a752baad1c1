"""The whole state of the device as one JSON object: what `GET /api/v1/status` and the page show."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sipstrobe import __version__
from sipstrobe.clock import Clock
from sipstrobe.config.settings import Settings
from sipstrobe.events import Function
from sipstrobe.web.describe import chain
from sipstrobe.web.profile_json import profile_told
from sipstrobe.web.views import (
    CallView,
    HealthView,
    OperationView,
    PortView,
    RuleView,
    Views,
    VirtualInputView,
)

ACCOUNTS_TOLD = 100


class Status:
    """Gather the views. All instants are monotonic seconds; `now` is the instant of the whole."""

    def __init__(self, clock: Clock, settings: Callable[[], Settings], views: Views) -> None:
        self._clock = clock
        self._settings = settings
        self._views = views
        self._started = clock.now()
        self._told_of: tuple[object, set[str]] | None = None  # the profiles, and which run
        self._told: list[dict[str, Any]] = []

    def __call__(self) -> dict[str, Any]:
        now, views = self._clock.now(), self._views
        operations = sorted(views.operations(), key=lambda o: -o.priority)
        maintenance = views.maintenance()
        return {
            "now": now,
            "device": self._device(now),
            "maintenance": {"active": maintenance.active, "until": maintenance.until},
            "health": _health(views.health()),
            "functions": [
                {
                    "name": function,
                    "operations": [
                        _operation(o, now) for o in operations if o.function == function
                    ],
                }
                for function in Function
            ],
            "profiles": self._profiles({o.profile for o in operations}),
            "calls": [call_json(call, now) for call in views.calls()],
            **_registrations(views.registrations()),
            "listening": views.listening(),
            "nat": views.nat(),
            "sound": views.sound(),
            "clips": views.clips_playing(),
            "microphone": views.microphone(),
            "recordings": views.recordings.snapshot(),
            "pages": views.pages(),
            "multicast": views.multicast(),
            "stream": views.stream.snapshot(),
            "talk": views.talk.snapshot(),
            "lights": views.lights(),
            "services": views.services(),
            "triggers": [
                {"trigger": number, "name": name, "active": active}
                for number, name, active in views.triggers()
            ],
            "ports": [_port(port) for port in views.ports()],
            "virtual_inputs": [_virtual_input(one) for one in views.virtual_inputs()],
            "outbox": views.outbox.snapshot(),
            "mqtt": views.mqtt(),
            "home": views.home(),
            "schedules": views.schedules.snapshot(),
            "storage": views.storage(),
            "speaker_test": views.speaker_test(),
            "rules": [_rule(rule) for rule in views.rules()],
        }

    def _device(self, now: float) -> dict[str, Any]:
        device = self._settings().device
        return {
            "name": device.name,
            "serial": device.serial,
            "version": __version__,
            "wall": self._clock.wall(),
            "uptime_seconds": round(now - self._started, 1),
        }

    def _profiles(self, running: set[str]) -> list[dict[str, Any]]:
        """Told anew when they have changed: a hundred of them take a millisecond."""
        now = self._settings().profiles, running
        before = self._told_of
        if before is None or before[0] is not now[0] or before[1] != running:
            self._told_of = now
            self._told = [profile_told(p, running=p.name in running) for p in now[0]]
        return self._told


def _operation(operation: OperationView, now: float) -> dict[str, Any]:
    ends_at = operation.ends_at
    return {
        "id": operation.id,
        "pattern": operation.pattern,
        "priority": operation.priority,
        "intensity": operation.intensity,
        "speed": operation.speed,
        "colors": operation.colors,
        "profile": operation.profile,
        "shown": operation.shown,
        "seconds_left": None if ends_at is None else round(max(0.0, ends_at - now), 2),
        "why": chain(operation.cause) if operation.cause else [],
    }


def _port(port: PortView) -> dict[str, Any]:
    return {
        "port": port.port,
        "name": port.name,
        "usage": port.usage,
        "direction": port.direction,
        "normal_state": port.normal_state,
        "state": port.state,
        "active": port.active,
        "supervised": port.supervised,
        "driver": port.driver,
        "problem": port.problem,
        "why": chain(port.cause) if port.cause else [],
    }


def _virtual_input(one: VirtualInputView) -> dict[str, Any]:
    return {
        "input": one.input,
        "name": one.name,
        "active": one.active,
        "seconds_left": one.seconds_left,
        "why": chain(one.cause) if one.cause else [],
    }


def _health(result: HealthView | None) -> dict[str, Any] | None:
    """The last health check: no errors means that it was passed."""
    if result is None:
        return None
    return {"at": result.wall, "errors": [words for _, words in result.errors]}


def _rule(rule: RuleView) -> dict[str, Any]:
    return {
        "name": rule.rule.name,
        "enabled": rule.rule.enabled,
        "source": rule.source,
        "active": rule.active,
        "history": [{"at": at, "words": words} for at, words in rule.history],
    }


def _registrations(accounts: Sequence[Mapping[str, object]]) -> dict[str, Any]:
    """As many as people read, those in trouble before all others."""
    told = sorted(accounts, key=lambda account: not account.get("problem"))[:ACCOUNTS_TOLD]
    return {"registrations": told, "registrations_total": len(accounts)}


def call_json(call: CallView, now: float) -> dict[str, Any]:
    return {
        "id": call.id,
        "direction": call.direction,
        "account": call.account,
        "local_uri": call.local_uri,
        "remote_uri": call.remote_uri,
        "extension": call.extension,
        "state": call.state,
        "seconds": round(now - call.since, 1),
        "codec": call.codec,
        "level_db": round(call.level_db, 1),
        "packets_received": call.packets_received,
        "packets_lost": call.packets_lost,
        "jitter_ms": round(call.jitter_ms, 1),
        "transport": call.transport,
        "audio": call.audio,
    }
