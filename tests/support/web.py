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
            sound_level=lambda: float(str(self.sound["rms_db"])),
            microphone=lambda: dict(self.microphone),
            played=lambda: self.played,
            microphone_sound=self._microphone_sound,
            recordings=self.recordings,
            pages=lambda: {"recording": [], "waiting": [], "playing": ""},
            multicast=lambda: self.multicast,
            stream=self.stream,
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
            mqtt=lambda: NO_MQTT,
            home=lambda: NO_HOME,
            settled=self.settled,
            system=self.system.views(),
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
        if command.account not in (None, "Peer to peer"):
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
