"""A made-up device in which every page has something to show, always on the same day."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import cycle
from pathlib import Path
from typing import Any

from sipstrobe.clock import LoopClock
from sipstrobe.commands import SetManualTrigger, StartProfile
from sipstrobe.context import Context
from sipstrobe.dtmf.settings import DigitSequence
from sipstrobe.lightsiren.chimes import PRE_ANNOUNCEMENT
from sipstrobe.lightsiren.settings import Duration, LightPart, Profile, SirenPart
from sipstrobe.multicast.settings import DeskPhoneSource, InternalSource, PageSource
from sipstrobe.rules.actions import AnswerCall, PlayClip, RunProfile, SendMail
from sipstrobe.rules.actions import StartProfile as Run
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.schedules.settings import FACTORY_SCHEDULES
from sipstrobe.secret import Secret
from sipstrobe.sending.settings import HttpRecipient, MailRecipient
from sipstrobe.services.schedules import Schedules
from sipstrobe.sip.account import Account
from tests.support.web import NO_MICROPHONE, NO_MQTT, NO_SOUND, Device, FakeCall, FakeRecord

MOMENT = datetime(2030, 3, 5, 14, 30, 12, tzinfo=timezone(timedelta(hours=1)))  # a Tuesday


class ThatDay(LoopClock):
    """One by which it is always the same moment that a device is made at."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._began = self.now()

    def wall(self) -> datetime:
        return MOMENT + timedelta(seconds=self.now() - self._began)


PROFILES = (
    Profile(
        name="Evacuate",
        description="Everybody leaves by the nearest exit",
        light=LightPart(pattern="Steady", colors=("amber",), intensity=5, priority=9),
        siren=SirenPart(pattern="Alarm: Horror", intensity=5, priority=9),
    ),
    Profile(
        name="Panic",
        light=LightPart(
            pattern="Flash 3x", colors=("red",), priority=9, duration=Duration(value=60)
        ),
    ),
    Profile(
        name="Door bell",
        light=LightPart(pattern="Rotate", colors=("white",), priority=3),
        siren=SirenPart(pattern="clip:Ding-dong", intensity=3, priority=3),
    ),
    Profile(name="Call", light=LightPart(pattern="Steady", colors=("green",), priority=4)),
)
PBX = Account(
    name="PBX", kind="registered", user_id="200", password=Secret("x"), domain="pbx.example"
)
PROVIDER = Account(
    name="Provider", kind="registered", user_id="horn", domain="sip.example", enabled=True
)
STANDINGS: list[dict[str, object]] = [
    {"account": "peer-to-peer", "state": "off"},
    {
        "account": "PBX",
        "state": "registered",
        "server": "sip:pbx.example",
        "code": 200,
        "uri": "sip:200@pbx.example",
        "until": "2030-03-05T14:58:00+01:00",
        "words": "registered with pbx.example",
        "problem": "",
    },
    {
        "account": "Provider",
        "state": "failed",
        "server": "sip:sip.example",
        "code": 401,
        "uri": "sip:horn@sip.example",
        "until": "",
        "words": "wrong password",
        "problem": "wrong password",
    },
]
RINGING = Condition(event="call/state", match={"state": "ringing", "direction": "incoming"})
RULES = (
    Rule(
        name="The fire panel goes first",
        conditions=(Condition(event="input/port", match={"port": "1", "active": "true"}),),
        action=RunProfile(profile="Evacuate", priority=9),
    ),
    Rule(
        name="Green while somebody speaks",
        conditions=(Condition(event="call/state", match={"state": "active"}),),
        action=RunProfile(profile="Call"),
    ),
    Rule(
        name="By hand",
        conditions=(
            Condition(event="input/manual_trigger", match={"trigger": "1", "active": "true"}),
        ),
        action=RunProfile(profile="Door bell"),
    ),
    Rule(name="A tone as it rings", when=RINGING, action=PlayClip(clip=PRE_ANNOUNCEMENT)),
    Rule(
        name="Answer after the tone",
        when=Condition(
            event="sound/clip", match={"clip": PRE_ANNOUNCEMENT, "playing": "true"}, invert=True
        ),
        conditions=(RINGING,),
        action=AnswerCall(all=True),
    ),
    Rule(
        name="The speaker has failed",
        enabled=False,
        when=Condition(event="device/speaker_test", match={"passed": "false"}),
        action=SendMail(recipient="Operations", body="{event.words}"),
    ),
    Rule(
        name="Door bell",
        when=Condition(event="call/dtmf", match={"name": "Gate"}),
        action=Run(profile="Door bell"),
    ),
)
SETTINGS: dict[str, Any] = {
    "device": {"serial": "00005E005301"},
    "profiles": PROFILES,
    "rules": RULES,
    "schedules": FACTORY_SCHEDULES,
    "manual_triggers": ["Evacuate the hall", "Close the gate", "Test"],
    "recipients": (
        MailRecipient(
            name="Operations",
            to=("ops@mail.example", "night@mail.example"),
            sender="horn@mail.example",
            server="mail.example",
        ),
        HttpRecipient(name="Video wall", url="https://vms.example/events"),
    ),
    "sip": {"enabled": True, "accounts": (Account(default=True), PBX, PROVIDER)},
    "dtmf": {"sequences": [DigitSequence(sequence="12#", name="Gate")]},
    "extensions": [
        {"number": "1001", "name": "Hall", "role": "page", "profile": "Call"},
        {"number": "1002", "name": "Gate", "role": "alert", "profile": "Evacuate"},
    ],
    "multicast": {
        "enabled": True,
        "sources": (
            PageSource(label="Fire", address="239.1.1.1", port=5004, srtp_key=Secret("0" * 60)),
            DeskPhoneSource(label="Desks", channel=26),
            InternalSource(sound="clip"),
            PageSource(label="Music", address="ff15::7", port=6000, enabled=False),
        ),
    },
    "ports": {
        "port_1": {"name": "Fire panel", "normal_state": "closed"},
        "port_2": {"name": "Door opener", "direction": "output"},
        "virtual_inputs": {"1": "Camera at the gate", "7": "Alarm of the lift"},
    },
    "mqtt": {
        "active": True,
        "host": "broker.example",
        "subscriptions": [
            {"filter": "hall/door", "kind": "stateful", "true_payload": "On"},
            {"filter": "hall/bell", "kind": "stateless"},
        ],
    },
}


def calls(now: float) -> list[FakeCall]:
    return [
        FakeCall(id="in-7", since=now - 95, state="active", extension="1001", account="PBX"),
        FakeCall(
            id="in-8",
            since=now - 4,
            state="ringing",
            extension="1002",
            remote_uri="sip:bob@192.0.2.78",
        ),
    ]


SOURCE: dict[str, object] = {
    "owner": "in-7",
    "kind": "call",
    "rank": 7,
    "gain": 1.0,
    "ducked": False,
    "rms_db": -20.0,
    "peak_db": -8.0,
    "underruns": 0,
}
SOUND = dict(NO_SOUND) | {
    "output": "USB speaker",
    "active": True,
    "rms_db": -20.0,
    "peak_db": -8.0,
    "sources": [SOURCE],
    "sources_total": 1,
}
HEARD: dict[str, object] = {
    "label": "Fire",
    "kind": "multicast",
    "address": "239.1.1.1",
    "port": 5004,
    "state": "active",
    "sender": "192.0.2.9:5004",
    "level_db": -18.2,
    "problem": "",
    "packets": 512,
}
AT_BROKER = dict(NO_MQTT) | {
    "active": True,
    "connected": True,
    "words": "connected",
    "broker": "broker.example:1883",
    "sent": 1204,
    "received": 88,
}


@asynccontextmanager
async def shown_device(folder: Path) -> AsyncGenerator[str]:
    """Where it is served; folder: for its clips."""
    context = Context(ThatDay(asyncio.get_running_loop()))
    device = Device.make(context, in_background=True, folder=folder / "clips", **SETTINGS)
    device.registrations = STANDINGS
    device.calls = calls(context.clock.now())
    device.records = [
        FakeRecord(id=n, call=f"in-{n}", started=MOMENT.timestamp() - 3600 * (8 - n))
        for n in range(1, 7)
    ]
    device.sound = SOUND
    device.microphone = dict(NO_MICROPHONE) | {"input": "USB", "name": "USB", "working": True}
    device.multicast |= {"sources": 3, "joined": 2, "told": [HEARD]}
    device.recordings.folder = folder / "recordings"
    device.recordings.folder.mkdir(parents=True)
    schedules = Schedules(context, folder, device.automation.snapshot)
    await schedules.start(0.0)
    device.schedules = schedules
    schedules.apply(FACTORY_SCHEDULES, "Europe/Berlin")
    order = context.dispatcher.execute
    order(StartProfile(profile="Evacuate"))
    order(SetManualTrigger(trigger=1, active=True))
    levels = cycle((-20.0, -20.01))  # what does not change is not told to those who come later
    views = replace(device.views(), mqtt=lambda: AT_BROKER, sound_level=lambda: next(levels))
    async with device.served(views) as url:
        yield url
    await schedules.aclose()
