"""What a home sees of the device just now, as payloads by topic: pure functions of its facts.

Texts and JSON are those that `discovery` tells Home Assistant to expect; other readers find plain
words. All of it is retained.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from sipstrobe.events import (
    CallState,
    CallStatus,
    ClipPlaying,
    Event,
    InputPortChanged,
    MaintenanceChanged,
    ManualTriggerChanged,
    OperationChanged,
    OutputActive,
    OutputPortChanged,
    PageState,
    PageStateChanged,
    RegistrationChanged,
    RegistrationState,
    ServiceStateChanged,
    VirtualInputChanged,
    VolumeChanged,
)
from sipstrobe.mqtt.discovery import OFF, ON, Thing
from sipstrobe.mqtt.home import key_of

TOLD_MAX: Final = 10  # accounts and parts in trouble that are named
TEXT_MAX: Final = 250  # characters; Home Assistant refuses states of more than 255
NOTHING: Final = "None"  # by which Home Assistant forgets what was chosen
RANKS: Final = (  # which call is told of several
    CallStatus.IDLE,
    CallStatus.TERMINATED,
    CallStatus.CALLING,
    CallStatus.RINGING,
    CallStatus.PIN,
    CallStatus.ACTIVE,
)

Tree = dict[str, bytes]


def states(thing: Thing, facts: Sequence[Event]) -> Tree:
    """The whole tree but for lights and the siren. facts: the properties that hold."""
    topics = thing.topics
    tree: Tree = {
        topics.state("call"): _call([f for f in facts if isinstance(f, CallState)]),
        topics.state("registrations"): _registrations(
            [f for f in facts if isinstance(f, RegistrationChanged)]
        ),
        topics.state("problem"): _problems(
            [f for f in facts if isinstance(f, ServiceStateChanged)]
        ),
        topics.state("maintenance"): _on(
            any(f.active for f in facts if isinstance(f, MaintenanceChanged))
        ),
        topics.state("speaker"): _on(any(f.active for f in facts if isinstance(f, OutputActive))),
        topics.state("page"): _on(
            any(f.state is PageState.ACTIVE for f in facts if isinstance(f, PageStateChanged))
        ),
        topics.state("clip"): _clip([f for f in facts if isinstance(f, ClipPlaying)]),
    }
    running = {f.profile for f in facts if isinstance(f, OperationChanged)}
    for name in thing.profiles:
        tree[topics.state("profile", key_of(name))] = _on(name in running)
    pressed = {f.trigger for f in facts if isinstance(f, ManualTriggerChanged) and f.active}
    for number in range(1, len(thing.triggers) + 1):
        tree[topics.state("trigger", str(number))] = _on(number in pressed)
    for volume in (f for f in facts if isinstance(f, VolumeChanged)):
        tree[topics.state("volume")] = f"{volume.volume_db:g}".encode()
        tree[topics.state("muted")] = _on(volume.muted)
    return tree | _ports(thing, facts)


def _ports(thing: Thing, facts: Sequence[Event]) -> Tree:
    inputs = {f.port for f in facts if isinstance(f, InputPortChanged) and f.active}
    outputs = {f.port for f in facts if isinstance(f, OutputPortChanged) and f.active}
    virtual = {f.input for f in facts if isinstance(f, VirtualInputChanged) and f.active}
    kinds = (
        ("input", thing.inputs, inputs),
        ("output", thing.outputs, outputs),
        ("virtual_input", thing.virtual_inputs, virtual),
    )
    return {
        thing.topics.state(kind, str(number)): _on(number in active)
        for kind, numbers, active in kinds
        for number in numbers
    }


def last_caller(uri: str) -> bytes:
    return uri[:TEXT_MAX].encode()


def happened(kind: str, **more: str) -> bytes:
    """What only happens: the payload of an event entity."""
    return msgspec.json.encode({"event_type": kind, **more})


def _call(calls: Sequence[CallState]) -> bytes:
    """The call that has come furthest, and how many there are."""
    states = [call.state for call in calls]
    told: dict[str, object] = {
        "state": CallStatus.IDLE,
        "active": CallStatus.ACTIVE in states,
        "ringing": CallStatus.RINGING in states,
        "calls": len(calls),
    }
    if calls:
        first = max(calls, key=lambda call: RANKS.index(call.state))
        told |= {
            "state": first.state,
            "direction": first.direction,
            "account": first.account,
            "remote_uri": first.remote_uri,
            "local_uri": first.local_uri,
            "extension": first.extension,
        }
    return msgspec.json.encode(told)


def _registrations(accounts: Sequence[RegistrationChanged]) -> bytes:
    failed = (RegistrationState.FAILED, RegistrationState.GIVEN_UP)
    troubled = [a for a in accounts if a.state in failed][:TOLD_MAX]
    told = {
        "registered": sum(a.state is RegistrationState.REGISTERED for a in accounts),
        "accounts": len(accounts),
        "failed": {account.account: account.words for account in troubled},
    }
    return msgspec.json.encode(told)


def _problems(parts: Sequence[ServiceStateChanged]) -> bytes:
    troubled = [part for part in parts if not part.working][:TOLD_MAX]
    return msgspec.json.encode({"problems": {p.service: p.problem for p in troubled}})


def _clip(playing: Iterable[ClipPlaying]) -> bytes:
    return next((clip.clip for clip in playing if clip.playing), NOTHING).encode()


def _on(on: bool) -> bytes:
    return (ON if on else OFF).encode()
