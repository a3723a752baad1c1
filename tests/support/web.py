"""A device with a page: real light and siren, real settings in memory, made-up calls."""

import asyncio
import os
from collections import ChainMap
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sipstrobe.audio.source import AddSource, RemoveSource
from sipstrobe.commands import AnswerCall, ChangeSettings, Dial, HangUp, SendDigits
from sipstrobe.config.files import Files, Memory
from sipstrobe.config.passwords import Cost, hash_password
from sipstrobe.config.store import Store
from sipstrobe.config.users import Role, User, make_user
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, RemoteProtocolError
from sipstrobe.events import Function
from sipstrobe.io.identity import own_identity
from sipstrobe.io.wavfile import endless_header
from sipstrobe.lightsiren.settings import MaintenanceSettings
from sipstrobe.lightsiren.sound import Playable
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.schedules.text import ScheduleError
from sipstrobe.services.automation import Automation
from sipstrobe.services.clip_library import ClipLibrary
from sipstrobe.services.clips import Clips
from sipstrobe.services.past import Past
from sipstrobe.services.ports import Ports
from sipstrobe.services.properties import Properties
from sipstrobe.services.reasons import Reasons
from sipstrobe.services.settings import SettingsService
from sipstrobe.services.signals import Signals
from sipstrobe.services.talk import Talk
from sipstrobe.system import System
from sipstrobe.trace import Actor
from sipstrobe.web.connections import Entrance
from sipstrobe.web.server import WebServer
from sipstrobe.web.views import SchedulesView, Views
from tests.support.talk import FakeLines

PASSWORDS = {"ada": "correct horse battery", "olga": "operator's secret", "victor": "only looking"}
ROLES = {"ada": Role.ADMINISTRATOR, "olga": Role.OPERATOR, "victor": Role.VIEWER}
CHEAP = Cost(1, 8, 1)
SALT = b"salt of tests"
USERS = tuple(
    make_user(name, ROLES[name], password, hash_password(password, SALT, CHEAP))
    for name, password in PASSWORDS.items()
)

SOME_DAY = datetime(2030, 1, 1, tzinfo=UTC)

NO_SOUND: Mapping[str, object] = {
    "output": "null",
    "working": True,
    "problem": "",
    "volume_db": 0.0,
    "muted": False,
    "limiter_db": 0.0,
    "active": False,
    "peak_db": -120.0,
    "rms_db": -120.0,
    "played_seconds": 0.0,
    "late": 0,
    "underruns": 0,
    "sources": [],
    "sources_total": 0,
}

NO_MICROPHONE: Mapping[str, object] = {
    "input": "",
    "name": "",
    "allowed": True,
    "muted": False,
    "open": False,
    "working": False,
    "problem": "",
    "listeners": 0,
    "level_db": -120.0,
    "gain_db": 0.0,
    "echo": "cancellation",
    "lost": 0,
}

BELL: dict[str, object] = {
    "name": "Bell",
    "text": "DTSTART:20300101T080000",
    "kind": "pulse",
    "time_zone": "Etc/UTC",
    "active": False,
    "rules": [],
}

WAITING: dict[str, object] = {
    "recipient": "ops",
    "kind": "email",
    "about": "Somebody calls",
    "rule": "R",
    "ordered": "2030-01-01T08:00:00.000+00:00",
    "attempts": 1,
    "failure": "the name mail.example is not found",
    "retry": "2030-01-01T08:01:00.000+00:00",
    "given_up": "2030-01-02T08:00:00.000+00:00",
    "why": [],
}

NO_PAGES: Mapping[str, object] = {
    "sources": 0,
    "joined": 0,
    "told": [],
    "hearing": {"state": "idle", "words": ""},
    "relay": {"state": "idle", "source": "", "packets": 0, "problem": ""},
    "pages_out": [],
}


NO_HOME: Mapping[str, object] = {
    "discovery": False,
    "commands": False,
    "topics": 0,
    "orders": 0,
    "dropped": 0,
}

NO_MQTT: Mapping[str, object] = {
    "active": False,
    "connected": False,
    "words": "",
    "broker": "",
    "sent": 0,
    "received": 0,
    "waiting": 0,
    "dropped": 0,
    "prefix": "sipstrobe/000000000000",
}


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
    audio: Mapping[str, object] | None = None


@dataclass(kw_only=True)
class FakeRecord:
    """A call that was, as the history would show it."""

    id: int
    call: str = "in-1"
    direction: str = "incoming"
    account: str = "Peer to peer"
    local_uri: str = "sip:1001@192.0.2.10"
    remote_uri: str = "sip:alice@192.0.2.77"
    extension: str = "1001"
    started: float = 1_900_000_000.0
    answered: float | None = 1_900_000_001.0
    ended: float | None = 1_900_000_061.5
    reason: str = "terminated"
    words: str = ""
    transport: str = "UDP"
    codec: str = "PCMU"
    encryption: str = ""
    packets: int | None = 3000
    lost: int | None = 3
    jitter_ms: float | None = 4.2
    mos: float | None = 4.4
    verdict: str | None = "ok"
    cause: str = ""


@dataclass(frozen=True, slots=True)
class FakeRecorded:
    name: str
    size: int
    began: float = 1893456000.0
    source: str = "speaker"
    seconds: float = 1.0


@dataclass
class Recordings:
    """Those of a folder, of which one is being made."""

    folder: Path | None = None
    making: str = ""

    def snapshot(self) -> list[dict[str, object]]:
        if not self.making:
            return []
        return [{"recording": self.making, "source": "speaker", "call": "", "seconds": 2.5}]

    async def recordings(self) -> list[FakeRecorded]:
        if self.folder is None:
            raise OSError("the folder of recordings cannot be read")
        return [FakeRecorded(p.name, p.stat().st_size) for p in sorted(self.folder.iterdir())]

    async def delete(self, name: str) -> bool:
        if name == self.making:
            raise CommandRefused("recording", f"{name} is being made")
        path = self.path(name)
        if path is None or not path.exists():
            return False
        path.unlink()
        return True

    def path(self, name: str) -> Path | None:
        return self.folder / name if self.folder is not None and "/" not in name else None


@dataclass
class FakeStream:
    """Takes what is sent, and remembers it."""

    problem: CommandRefused | None = None
    heard: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    content: bytes = b""
    ended: str = ""  # how
    told: dict[str, object] = field(default_factory=dict[str, object])

    def snapshot(self) -> dict[str, object]:
        idle = {"state": "idle", "sender": "", "type": "", "level_db": -120.0, "waiting_ms": 0}
        return idle | self.told

    async def transmit(self, content_type: str, sender: str, content: AsyncIterator[bytes]) -> None:
        if self.problem is not None:
            raise self.problem
        self.heard.append((content_type, sender))
        try:
            async for piece in content:
                self.content += piece
            self.ended = "as it should"
        except RemoteProtocolError as error:
            self.ended = str(error)


class FakeSchedules:
    """One bell, which has rung once."""

    def snapshot(self, count: int = 1) -> list[dict[str, object]]:
        hours = [{"start": f"in {n + 1} h", "end": None} for n in range(count)]
        return [BELL | {"next": hours}]

    async def days(self, first: date | None, number: int) -> dict[str, object]:
        at = first.isoformat() if first else "today"
        rung = {"schedule": "Bell", "start": at, "end": None, "count": number, "last": at}
        return {"time_zone": "UTC", "today": "today", "occurrences": [rung], "cut": []}

    async def preview(self, text: str, count: int) -> dict[str, object]:
        if not text.startswith("DTSTART:"):
            raise ScheduleError("DTSTART is missing")
        come = {"start": text, "end": None}
        return {"kind": "pulse", "time_zone": "UTC", "next": [come] * count}

    async def history(self, schedule: str, limit: int) -> list[dict[str, object]] | None:
        if schedule == "Broken":
            raise OSError("disk I/O error")
        rung: dict[str, object] = {"at": "today", "until": None, "done": True, "why": "acted"}
        return [rung][:limit] if schedule == "Bell" else None


class FakeAudit:
    """Remembers what was noted; the newest first, as it is told."""

    def __init__(self) -> None:
        self.notes: list[tuple[Actor, str, str]] = []

    def note(self, actor: Actor, what: str, result: str) -> None:
        self.notes.append((actor, what, result))

    async def page(self, limit: int, before: int | None) -> Sequence[Mapping[str, object]]:
        told: list[Mapping[str, object]] = [
            {"n": n, "at": SOME_DAY, "way": actor.way, "who": actor.who}
            | {"address": actor.address, "what": what, "paths": [], "result": result}
            | {"times": 1, "prev": "0" * 64}
            for n, (actor, what, result) in enumerate(self.notes, start=1)
            if before is None or n < before
        ]
        return told[::-1][:limit]

    async def verify(self) -> Mapping[str, object]:
        ends: dict[str, object] = {"first": 1, "last": len(self.notes), "head": "0" * 64}
        found: dict[str, object] = {"sound": True, "entries": len(self.notes), "problems": []}
        return ends | found | {"torn": 0}


@dataclass
class FakeTrial:
    worked: bool
    words: str = ""
    seconds: float = 0.1


class FakeOutbox:
    """One message waits, and one recipient can be tested."""

    def __init__(self) -> None:
        self.waiting = ["7-abc"]

    def snapshot(self) -> dict[str, object]:
        return {"waiting": len(self.waiting), "failing": [], "results": 0}

    def messages(self) -> dict[str, object]:
        return {"waiting": [WAITING | {"id": message} for message in self.waiting], "results": []}

    def remove(self, message: str) -> bool:
        known = message in self.waiting
        self.waiting = [other for other in self.waiting if other != message]
        return known

    async def test(self, name: str) -> FakeTrial:
        if name != "ops":
            raise CommandRefused("unknown_recipient", f"there is no recipient {name!r}")
        return FakeTrial(worked=False, words="the name mail.example is not found")


class FullDisk(Memory):
    """Has room for what a device begins with."""

    full = False

    def write(self, name: str, data: bytes, *, mode: int) -> None:
        if self.full:
            raise OSError("no space left on device")
        super().write(name, data, mode=mode)


@dataclass
class Device:
    """The parts of one device, put together as the app does it, without SIP and sound."""

    context: Context
    store: Store
    signals: Signals
    properties: Properties
    automation: Automation
    changes: SettingsService | None = None
    calls: list[FakeCall] = field(default_factory=list[FakeCall])
    sound: dict[str, object] = field(default_factory=lambda: dict(NO_SOUND))
    microphone: dict[str, object] = field(default_factory=lambda: dict(NO_MICROPHONE))
    mqtt: dict[str, object] = field(default_factory=lambda: dict(NO_MQTT))
    played: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    recordings: Recordings = field(default_factory=Recordings)
    registrations: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    services: dict[str, str] = field(default_factory=dict[str, str])
    nat: dict[str, object] = field(default_factory=lambda: {"public": "", "servers": []})
    multicast: dict[str, object] = field(default_factory=lambda: dict(NO_PAGES))
    records: list[FakeRecord] = field(default_factory=list[FakeRecord])
    digits: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    sources: dict[str, AddSource] = field(default_factory=dict[str, AddSource])
    listening: int = 0  # to the microphone
    stream: FakeStream = field(default_factory=FakeStream)
    outbox: FakeOutbox = field(default_factory=FakeOutbox)
    schedules: SchedulesView = field(default_factory=FakeSchedules)
    audit: FakeAudit = field(default_factory=FakeAudit)
    disk_works: bool = True
    library: ClipLibrary = field(init=False)
    clips: Clips = field(init=False)
    ports: Ports = field(init=False)
    system: System = field(init=False)
    past: Past = field(init=False)
    browsers: FakeLines = field(default_factory=FakeLines)
    talk: Talk = field(init=False)
    reasons: Reasons = field(init=False)

    @classmethod
    def make(
        cls,
        context: Context,
        users: Sequence[User] = USERS,
        *,
        in_background: bool = False,
        files: Files | None = None,
        folder: Path | None = None,
        **settings: Any,
    ) -> "Device":
        """in_background: changes of the settings are stored in another thread, as in the app.
        folder: for clips; without one there are only those of every device, and no speaker."""
        quiet = MaintenanceSettings(active=False)
        store = Store.load(files or Memory(), os.urandom)
        store.change_now({"maintenance": quiet, "web": {"users": users}} | settings)
        sounds = ChainMap[str, Playable](dict(SOUNDS))
        signals = Signals(context, sounds=sounds)
        device = cls(context, store, signals, Properties(context), Automation(context))
        device._add_clips(folder)
        device.system = System(context, folder or Path(os.devnull), store)
        device.ports = Ports(context, Memory())
        device.past = Past(context)
        device.talk = Talk(
            context, device.browsers, lambda: bool(device.microphone["input"]), lambda: None
        )
        device.reasons = Reasons(context, {})
        sounds.maps.append(device.library.patterns)
        store.watch(lambda s: s.profiles, device.signals.apply_profiles)
        store.watch(lambda s: s.maintenance, device.signals.apply_maintenance)
        store.watch(lambda s: s.manual_triggers, device.properties.apply)
        store.watch(lambda s: s.ports, device.ports.apply)
        store.watch(lambda s: s.rules, device.automation.apply)
        serve = context.dispatcher.serve
        if in_background:
            device.changes = SettingsService(context, store)
        else:
            serve(ChangeSettings, device._change)
        serve(HangUp, device._hang_up)
        serve(AnswerCall, device._answer)
        serve(Dial, device._dial)
        serve(SendDigits, device._send_digits)
        return device

    def _add_clips(self, folder: Path | None) -> None:
        nowhere = Path(os.devnull)
        self.library = ClipLibrary(
            self.context, folder or nowhere, self, lambda: self.store.current
        )
        self.clips = Clips(self.context, self.library)
        if folder is not None:
            serve = self.context.dispatcher.serve
            serve(AddSource, lambda command: self.sources.update({command.owner: command}))
            serve(RemoveSource, lambda command: self.sources.pop(command.owner))
            self.store.watch(lambda s: s.clips, self.clips.apply)

    def settled(self) -> "asyncio.Future[Any] | None":
        return self.changes.settled() if self.changes else None

    def change(self, patch: object, *, revision: int | None = None) -> Awaitable[object]:
        assert self.changes is not None
        return self.changes.change(patch, revision=revision)

    def views(self) -> Views:
        return Views(
            operations=self.signals.status,
            maintenance=lambda: self.signals.maintenance,
            health=lambda: self.signals.last_health_check,
            frame=self.signals.frame,
            watch_frames=self.signals.watch_frames,
            calls=lambda: self.calls,
            registrations=lambda: self.registrations,
            history=self._history,
            listening=lambda: ["UDP 5060 (IPv4, IPv6)", "TCP 5060 (IPv4, IPv6)"],
            nat=lambda: self.nat,
            sound=lambda: dict(self.sound),
            sound_level=lambda: float(str(self.sound["rms_db"])),
            microphone=lambda: dict(self.microphone),
            played=lambda: self.played,
            microphone_sound=self._microphone_sound,
            recordings=self.recordings,
            pages=lambda: {"recording": [], "waiting": [], "playing": ""},
            multicast=lambda: self.multicast,
            stream=self.stream,
            talk=self.talk,
            clips=self.library,
            clips_playing=self.clips.snapshot,
            lights=lambda: self.signals.light_states,
            services=lambda: self.services,
            triggers=self.properties.manual_triggers,
            ports=self.ports.snapshot,
            virtual_inputs=self.ports.virtual_inputs,
            rules=self.automation.snapshot,
            rule=self.automation.status,
            past=self.past.last,
            why=self.reasons.why,
            schedules=self.schedules,
            storage=lambda: {"alert": False, "words": "", "free_mb": 1000},
            speaker_test=lambda: {"calibrated": False, "way": "", "at": None, "running": ""},
            outbox=self.outbox,
            mqtt=lambda: dict(self.mqtt),
            home=lambda: NO_HOME,
            settled=self.settled,
            system=self.system.views(),
            audit=self.audit,
            own_certificate=lambda: own_identity(
                None, ["siren.example"], self.context.clock.wall()
            ),
        )

    @asynccontextmanager
    async def served(self, views: Views | None = None) -> AsyncGenerator[str]:
        """Serve on a free port; gives the URL. views: other than those of this device."""
        server = WebServer(self.context, self.store, views or self.views(), cost=CHEAP)
        try:
            door = await server.open("127.0.0.1", 0, Entrance("plain"))
            host, port = door.addresses[0]
            yield f"http://{host}:{port}"
        finally:
            await server.aclose()
            await self.talk.aclose()
            self.clips.close()
            await self.library.aclose()
            await self.system.access.aclose()
            self.signals.close()

    def running(self, function: Function) -> list[str]:
        return [o.pattern for o in self.signals.status() if o.function is function]

    def _change(self, command: ChangeSettings) -> int:
        return self.store.change_now(command.patch, revision=command.revision).revision

    def _hang_up(self, command: HangUp) -> None:
        kept = [call for call in self.calls if command.call not in (None, call.id)]
        if command.call is not None and len(kept) == len(self.calls):
            raise CommandRefused("unknown_call", f"there is no call {command.call!r}")
        self.calls[:] = kept

    def _dial(self, command: Dial) -> str:
        if command.account not in (None, "Peer to peer", "sip_account_0"):
            raise CommandRefused("unknown_account", f"there is no account {command.account!r}")
        if " " in command.uri:
            raise CommandRefused("bad_uri", f"cannot call {command.uri!r}: a space")
        name = f"out-{len(self.calls) + 1}"
        call = FakeCall(id=name, direction="outgoing", state="calling", remote_uri=command.uri)
        self.calls.append(call)
        return name

    def _send_digits(self, command: SendDigits) -> None:
        known = [call.id for call in self.calls]
        calls = known if command.call is None else [command.call]
        if not set(calls) <= set(known):
            raise CommandRefused("unknown_call", f"there is no call {command.call!r}")
        if not set(command.digits) <= set("0123456789ABCD*#"):
            raise CommandRefused("digits", f"{command.digits!r} are no digits")
        self.digits += [(call, command.digits) for call in calls]

    def _microphone_sound(self, *, basic: bool = False) -> AsyncGenerator[bytes]:
        if not self.microphone["input"]:
            raise CommandRefused("no_microphone", "the microphone is off")
        if self.listening >= 4:
            raise CommandRefused("too_many_listeners", "4 listen already")
        return self._whistle(b"" if basic else endless_header(48000))

    async def _whistle(self, head: bytes) -> AsyncGenerator[bytes]:
        self.listening += 1
        try:
            yield head
            while True:
                yield b"whistle!" * 240  # 20 ms of a kind of sound
                await asyncio.sleep(0.020)
        finally:
            self.listening -= 1

    async def _history(self, limit: int, before: int | None) -> Sequence[FakeRecord]:
        if not self.disk_works:
            raise OSError("the history of calls: disk I/O error")
        newest = sorted(self.records, key=lambda record: -record.id)
        return [r for r in newest if before is None or r.id < before][:limit]

    def _answer(self, command: AnswerCall) -> None:
        for call in self.calls:
            if command.call in (None, call.id) and call.state == "ringing":
                call.state = "active"
                return
        raise CommandRefused("not_ringing", "nothing rings")
