"""The device as the page and the API see it: snapshots of the services, put together."""

from collections.abc import Callable, Mapping

from sipstrobe.io.identity import Identity
from sipstrobe.services.audit import AuditTrail
from sipstrobe.services.automation import Automation
from sipstrobe.services.clip_library import ClipLibrary
from sipstrobe.services.clips import Clips
from sipstrobe.services.history import History
from sipstrobe.services.home import Home
from sipstrobe.services.http_stream import HttpStream
from sipstrobe.services.listening import Listening
from sipstrobe.services.microphone import Microphone
from sipstrobe.services.mqtt import Mqtt
from sipstrobe.services.outbox import OutboxService
from sipstrobe.services.page_out import PagesOut
from sipstrobe.services.page_relay import PageRelay
from sipstrobe.services.paging import Paging
from sipstrobe.services.past import Past
from sipstrobe.services.phone import Phone
from sipstrobe.services.ports import Ports
from sipstrobe.services.properties import Properties
from sipstrobe.services.reasons import Reasons
from sipstrobe.services.recorder import Recorder
from sipstrobe.services.schedules import Schedules
from sipstrobe.services.settings import SettingsService
from sipstrobe.services.signals import Signals
from sipstrobe.services.sound import Sound
from sipstrobe.services.speaker_test import SpeakerTest
from sipstrobe.services.storage import Storage
from sipstrobe.services.talk import Talk
from sipstrobe.system import System
from sipstrobe.web.views import Views


def views_of(
    *,
    signals: Signals,
    sound: Sound,
    microphone: Microphone,
    listening: Listening,
    recorder: Recorder,
    library: ClipLibrary,
    clips: Clips,
    phone: Phone,
    paging: Paging,
    relay: PageRelay,
    pages_out: PagesOut,
    http_stream: HttpStream,
    talk: Talk,
    automation: Automation,
    past: Past,
    reasons: Reasons,
    schedules: Schedules,
    storage: Storage,
    speaker_test: SpeakerTest,
    properties: Properties,
    ports: Ports,
    settings: SettingsService,
    outbox: OutboxService,
    mqtt: Mqtt,
    home: Home,
    history: History,
    system: System,
    audit: AuditTrail,
    own_certificate: Callable[[], Identity],
    problems: Callable[[], Mapping[str, str]],
) -> Views:
    """All views of one device. problems: what keeps each of its parts from working."""

    return Views(
        operations=signals.status,
        maintenance=lambda: signals.maintenance,
        health=lambda: signals.last_health_check,
        frame=signals.frame,
        watch_frames=signals.watch_frames,
        calls=phone.snapshot,
        registrations=phone.accounts.snapshot,
        history=history.calls,
        listening=lambda: phone.transports.addresses,
        nat=phone.nat.snapshot,
        sound=sound.snapshot,
        sound_level=lambda: sound.level_db,
        microphone=microphone.snapshot,
        played=sound.played,
        microphone_sound=listening.open,
        recordings=recorder,
        pages=phone.pages,
        multicast=lambda: (
            paging.snapshot() | {"relay": relay.snapshot(), "pages_out": pages_out.snapshot()}
        ),
        stream=http_stream,
        talk=talk,
        clips=library,
        clips_playing=clips.snapshot,
        lights=lambda: signals.light_states,
        services=problems,
        triggers=properties.manual_triggers,
        ports=ports.snapshot,
        virtual_inputs=ports.virtual_inputs,
        rules=automation.snapshot,
        rule=automation.status,
        past=past.last,
        why=reasons.why,
        schedules=schedules,
        storage=storage.snapshot,
        speaker_test=speaker_test.snapshot,
        outbox=outbox,
        mqtt=mqtt.snapshot,
        home=home.snapshot,
        settled=settings.settled,
        system=system.views(),
        audit=audit,
        own_certificate=own_certificate,
    )
