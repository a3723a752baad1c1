"""Builds the device: every part, in start-up order; leaving is the shutdown in reverse."""

import asyncio
import contextlib
import gc
import logging
import signal
import sys
from collections import ChainMap
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, uuid5

from sipstrobe.audio.format import Samples
from sipstrobe.audio.latency import LATENCIES
from sipstrobe.audio.policy import Places
from sipstrobe.audio.settings import Microphone as MicrophoneSettings
from sipstrobe.clock import LoopClock
from sipstrobe.config.certificates import sip_with
from sipstrobe.config.files import Folder
from sipstrobe.config.first_start import prepare
from sipstrobe.config.settings import Settings
from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.control import ControlServer
from sipstrobe.delivery import outbox_of
from sipstrobe.events import ServiceStateChanged
from sipstrobe.io.files import allow_files
from sipstrobe.io.identity import Identity, own_identity, own_names
from sipstrobe.io.multicast import GroupSockets
from sipstrobe.io.webrtc import WebRtc
from sipstrobe.lightsiren.sound import Playable
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.mqtt.home import announced
from sipstrobe.multicast.ranking import ranking
from sipstrobe.multicast.settings import MulticastSettings
from sipstrobe.options import Options
from sipstrobe.page import Page
from sipstrobe.services.announcer import Announcer
from sipstrobe.services.audit import AuditTrail
from sipstrobe.services.automation import Automation
from sipstrobe.services.broker import Broker
from sipstrobe.services.clip_library import ClipLibrary
from sipstrobe.services.clips import Clips
from sipstrobe.services.floor import AllOwn
from sipstrobe.services.greeting import Greeting
from sipstrobe.services.group_line import GroupLine
from sipstrobe.services.history import History
from sipstrobe.services.home import Home
from sipstrobe.services.home_thing import wanted_of
from sipstrobe.services.http_stream import HttpStream
from sipstrobe.services.journal import Journal
from sipstrobe.services.light_drivers import LightDrivers
from sipstrobe.services.links import Links
from sipstrobe.services.listening import Listening
from sipstrobe.services.microphone import Listener, Microphone, Witness
from sipstrobe.services.mqtt import Mqtt
from sipstrobe.services.page_out import PagesOut
from sipstrobe.services.page_relay import PageRelay
from sipstrobe.services.paging import Paging
from sipstrobe.services.past import Past
from sipstrobe.services.phone import Phone
from sipstrobe.services.ports import Ports
from sipstrobe.services.properties import Properties
from sipstrobe.services.reasons import Reasons
from sipstrobe.services.recorder import Recorder
from sipstrobe.services.rule_memory import RuleMemory
from sipstrobe.services.schedules import Schedules
from sipstrobe.services.senders.mqtt import MqttSender
from sipstrobe.services.settings import SettingsService
from sipstrobe.services.signals import Signals
from sipstrobe.services.sound import Sound
from sipstrobe.services.sound_level import SoundLevel
from sipstrobe.services.speaker_test import Ear, SpeakerTest
from sipstrobe.services.starts import Starts
from sipstrobe.services.storage import Storage
from sipstrobe.services.talk import Talk
from sipstrobe.system import System

if TYPE_CHECKING:
    from sipstrobe.web.server import WebServer
    from sipstrobe.web.views import Views

logger = logging.getLogger(__name__)

SWITCH_INTERVAL = 0.0005  # seconds; Python's 5 ms would be heard when the loop is busy
GC_THRESHOLD = (20_000, 20, 50)  # hardly anything here is cyclic; a look at it all takes long
CLIPS = "clips"  # the folder of their files in that of the state
STARTED_LIMIT = 3.0  # seconds after which we say what there is, with or without the page


@dataclass(slots=True)
class Started:
    """What there is to say once everything has been tried."""

    settings: Settings
    listening: list[str]
    page: list[tuple[str, int]]
    sound: str
    lights: dict[str, str]
    password: str = field(default="", repr=False)  # of a first account that we have just made
    problems: list[str] = field(default_factory=list[str])
    secure_page: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    fingerprint: str = ""  # of the certificate that is shown there


async def run(options: Options, announce: Callable[[Started], None]) -> bool:
    """Run the device until SIGINT, SIGTERM, or an order to begin anew, which is the result.

    Raises ConfigError when it cannot start.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    allow_files()
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    anew = asyncio.Event()

    def again() -> None:
        anew.set()
        ended.set()

    store = Store.open(options.state)
    try:
        password = prepare(store, demo=options.demo, put=options.put)
        async with AsyncExitStack() as stack:
            device = Device(Context(LoopClock(loop)), store, options, again)
            await device.start(stack)
            _freeze()
            await device.settle()
            announce(device.started(password))
            await ended.wait()
            logger.info("ending")
    finally:
        store.close()
        gc.freeze()  # nobody needs to look through it all at the end
    return anew.is_set()


class Device:
    """All parts of one device."""

    def __init__(
        self,
        context: Context,
        store: Store,
        options: Options,
        again: Callable[[], None] = lambda: None,
    ) -> None:
        """again: ends the device, and has its process begin anew."""
        self._context = context
        self._store = store
        self._options = options
        self._problems: dict[str, str] = {}
        context.bus.subscribe(ServiceStateChanged, self._note)
        self.settings = SettingsService(context, store)
        self.audit = AuditTrail(context, options.state)
        self.properties = Properties(context)
        self.journal = Journal(context)
        self.sound = Sound(context)
        self.library = ClipLibrary(
            context, options.state / CLIPS, self.settings, lambda: store.current
        )
        self.clips = Clips(context, self.library)
        self.signals = Signals(
            context,
            sounds=ChainMap[str, Playable](self.library.patterns, dict(SOUNDS)),
            open_light=LightDrivers(context, _cid(store.current.device.serial)),
            tone_problem=self.sound.tone_problem,
        )
        self.ports = Ports(context, Folder(options.state))
        self.begun = RuleMemory(context, Folder(options.state))
        self.automation = Automation(context, self.begun)
        self.past = Past(context)
        self.starts = Starts(context, options.state)
        self.schedules = Schedules(context, options.state, self.automation.snapshot)
        self.greeting = Greeting(context)
        self.microphone = Microphone(
            context, self.sound.tap, self.sound.catch_up, allowed=options.microphone
        )
        groups = GroupSockets(context.clock)
        self.relay = PageRelay(context, self.sound, GroupLine(groups))
        self.pages_out = PagesOut(context, self.library.find, lambda: GroupLine(groups))
        own = AllOwn(self.relay.own, self.pages_out.own)
        self.paging = Paging(context, own, groups)
        self.http_stream = HttpStream(context)
        self.history = History(context, options.state)
        serial = store.current.device.serial
        self.phone = Phone(
            context,
            self.greeting.recording,
            _instance_id(serial),
            self.history.conclude,
            options.state,
            self._listen,
        )
        self.system = System(context, options.state, store, self.phone, again)
        self.announcer = Announcer(context, self.library.find)
        self.talk = Talk(context, WebRtc(), lambda: self.microphone.on, self._listen)
        self.listening = Listening(context, lambda: self.microphone.on, self._listen)
        self.recorder = Recorder(
            context, options.state, self.phone, (self.sound.tap, self.sound.catch_up), self._listen
        )
        self.broker = Broker(context)
        self.mqtt = Mqtt(context, self.broker, serial, self.properties.current)
        self.home = Home(context, self.broker, self.properties.current, self.signals.status)
        publications = MqttSender(self.broker, lambda: self.mqtt.prefix)
        self.outbox = outbox_of(
            context,
            options.state,
            lambda: store.current,
            self.recorder,
            more={"mqtt": publications},
        )
        self.reasons = Reasons(context, {"sound": self.sound.why, "message": self.outbox.why})
        self.links = Links(context)
        self.storage = Storage(context, options.state)
        self.sound_level = SoundLevel(context, self._listen)
        ear = Ear(self.sound.tone_problem, lambda: self.sound.volume_db, self._witness)
        self.speaker_test = SpeakerTest(context, options.state, ear)
        self.page = Page(context, self._serve, self._own_identity)

    async def start(self, stack: AsyncExitStack) -> None:
        """Bring the settings into effect, outputs first, doors last."""
        await self.system.open(stack)
        stack.push_async_callback(self.audit.aclose)
        await self.starts.open()
        stack.push_async_callback(self.starts.aclose)
        stack.push_async_callback(self.settings.aclose)
        await self._start_outputs(stack)
        await self._start_calls(stack)
        await self._start_the_rest(stack)
        stack.callback(self.phone.leave)  # first, so that all else closes while others answer
        self.starts.announce()
        self.system.log.announce(self.starts.last.reason)

    async def _start_outputs(self, stack: AsyncExitStack) -> None:
        """What rules switch and send, and then the rules."""
        watch = self._store.watch
        stack.push_async_callback(self.history.aclose)
        stack.push_async_callback(self.sound.aclose)
        watch(self._options.audio, self.sound.apply)
        watch(lambda s: _places(s.multicast), self.sound.apply_places)
        stack.push_async_callback(self.library.aclose)
        stack.callback(self.clips.close)
        watch(lambda s: s.audio, self.clips.apply_audio)
        watch(lambda s: s.clips, self.clips.apply)
        stack.callback(self.signals.close)
        watch(self._options.lights, self.signals.apply_lights)
        watch(lambda s: s.profiles, self.signals.apply_profiles)
        watch(lambda s: s.maintenance, self.signals.apply_maintenance)
        watch(lambda s: s.manual_triggers, self.properties.apply)
        stack.push_async_callback(self.ports.aclose)
        watch(lambda s: s.ports, self.ports.apply)
        await self.ports.opened()  # what holds already is no news to rules
        stack.push_async_callback(self.mqtt.aclose)  # after the last of the outbox
        await self.outbox.start()
        stack.push_async_callback(self.outbox.aclose)
        watch(lambda s: s.recipients, self.outbox.apply)
        stack.push_async_callback(self.begun.aclose)
        stack.callback(self.automation.close)
        watch(lambda s: (s.rules, s.extensions), lambda both: self.automation.apply(*both))

    async def _start_calls(self, stack: AsyncExitStack) -> None:
        """What hears, calls, and is called."""
        watch = self._store.watch
        stack.push_async_callback(self.microphone.aclose)
        stack.push_async_callback(self.recorder.aclose)
        stack.push_async_callback(self.talk.aclose)
        watch(lambda s: s.audio.talk_priority, self.talk.apply)
        await self.speaker_test.open()
        stack.push_async_callback(self.speaker_test.aclose)
        watch(
            lambda s: (s.audio.recording_quota_mb, s.audio.record_continuously),
            lambda both: self.recorder.apply(both[0], continuously=both[1]),
        )
        stack.push_async_callback(self.phone.aclose)
        watch(lambda s: s.audio.greeting, self.greeting.apply)
        watch(lambda s: s.audio.microphone, self._apply_microphone)
        stack.callback(self.sound_level.close)
        watch(
            lambda s: (s.audio.microphone.detect_db, s.audio.microphone.input),
            lambda both: self.sound_level.apply(both[0]),
        )
        watch(lambda s: LATENCIES[s.audio.latency], self.phone.apply_latency)
        watch(lambda s: s.extensions, self.phone.apply_extensions)
        watch(lambda s: s.dtmf, self.phone.apply_dtmf)
        watch(lambda s: sip_with(s.certificates, s.sip), self.phone.apply)
        stack.callback(self.paging.close)
        watch(lambda s: s.multicast, self.paging.apply)
        stack.callback(self.relay.close)
        watch(lambda s: s.multicast, lambda m: self.relay.apply(m.relay, m.codec))
        stack.callback(self.pages_out.close)
        watch(lambda s: s.multicast.codec, self.pages_out.apply)

    async def _start_the_rest(self, stack: AsyncExitStack) -> None:
        """What looks on, what rings, and the doors."""
        watch = self._store.watch
        stack.callback(self.home.close)
        watch(wanted_of, self.home.apply)
        watch(lambda s: announced(s.mqtt, s.home), self.mqtt.apply)
        await self._open_control(stack)
        stack.callback(self.links.close)
        self.links.open()
        stack.callback(self.storage.close)
        self.storage.open()
        stack.push_async_callback(self.schedules.aclose)
        await self.schedules.start(self.starts.last.seen)
        watch(lambda s: (s.schedules, s.device.time_zone), lambda both: self.schedules.apply(*both))
        stack.push_async_callback(self.page.aclose)
        watch(self._options.page, self.page.apply)

    async def settle(self) -> None:
        """Give the page and the sound card a moment to work."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STARTED_LIMIT):
                await self.page.tried.wait()
                await self.sound.settled()

    def started(self, password: str) -> Started:
        return Started(
            settings=self._store.current,
            listening=self.phone.transports.addresses,
            page=self.page.addresses("http"),
            secure_page=self.page.addresses("https"),
            fingerprint=self.page.fingerprint,
            sound=self.sound.snapshot()["output"],
            lights=self.signals.light_states,
            password=password,
            problems=[f"{name}: {words}" for name, words in self._problems.items()],
        )

    async def _open_control(self, stack: AsyncExitStack) -> None:
        """Let the command line in; a device that it cannot reach is a device nevertheless."""
        control = ControlServer(
            self._options.state, self._store, self.settings, self.system.upkeep.reset
        )
        try:
            await control.start()
        except OSError as error:
            problem = f"the command line cannot reach this device while it runs: {error}"
            self._context.bus.publish(
                ServiceStateChanged(service="control", working=False, problem=problem)
            )
        else:
            stack.push_async_callback(control.aclose)

    # --- the microphone -------------------------------------------------------------------------

    def _listen(self) -> Listener | None:
        """None while there is nothing to hear, and nobody asked to change that."""
        return self.microphone.listen() if self.microphone.on else None

    def _witness(self, heard: Callable[[Samples], None]) -> Witness | None:
        """The same of who hears all that the microphone does."""
        working = self.microphone.on and not self._store.current.audio.microphone.muted
        return self.microphone.witness(heard) if working else None

    def _apply_microphone(self, wanted: MicrophoneSettings) -> None:
        was = self.microphone.on
        self.microphone.apply(wanted)
        if self.microphone.on is not was:
            self.phone.refresh_microphone()

    # --- the page -------------------------------------------------------------------------------

    def _serve(self) -> "WebServer":
        from sipstrobe.web.server import WebServer  # loaded by the page, when calls are answered

        return WebServer(self._context, self._store, self._views())

    def _own_identity(self) -> Identity:
        return own_identity(self._options.state, own_names(), self._context.clock.wall())

    def _views(self) -> "Views":
        from sipstrobe.views import views_of

        return views_of(
            signals=self.signals,
            sound=self.sound,
            microphone=self.microphone,
            listening=self.listening,
            recorder=self.recorder,
            library=self.library,
            clips=self.clips,
            phone=self.phone,
            paging=self.paging,
            relay=self.relay,
            pages_out=self.pages_out,
            http_stream=self.http_stream,
            talk=self.talk,
            automation=self.automation,
            past=self.past,
            reasons=self.reasons,
            schedules=self.schedules,
            storage=self.storage,
            speaker_test=self.speaker_test,
            properties=self.properties,
            ports=self.ports,
            settings=self.settings,
            outbox=self.outbox,
            mqtt=self.mqtt,
            home=self.home,
            history=self.history,
            system=self.system,
            audit=self.audit,
            own_certificate=self._own_identity,
            problems=lambda: dict(self._problems),
        )

    def _note(self, event: ServiceStateChanged) -> None:
        if event.working:
            self._problems.pop(event.service, None)
        else:
            self._problems[event.service] = event.problem


def _places(multicast: MulticastSettings) -> Places | None:
    """The list by which calls, streams and clips are heard, while there are pages as well."""
    ranks = ranking(multicast)
    return Places(ranks.sip, ranks.clip, ranks.stream) if multicast.enabled else None


def _instance_id(serial: str) -> str:
    """The name of this device among all (RFC 5626 §4.1): it follows from the serial number."""
    return uuid5(NAMESPACE_OID, f"sipstrobe {serial}").urn


def _cid(serial: str) -> bytes:
    """The same towards controllers of light (E1.31 §5.6)."""
    return uuid5(NAMESPACE_OID, f"sipstrobe light {serial}").bytes


def _freeze() -> None:
    """What exists now stays: a full collection of it would stop sound and light for long."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)
