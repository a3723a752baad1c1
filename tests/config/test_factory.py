"""The rules of a new device: there, off, and ready to be switched on (EVT-10…12)."""

from pathlib import Path

import msgspec
import pytest

from sipstrobe import commands
from sipstrobe.config.demo import EXTENSIONS, demo
from sipstrobe.config.factory import FACTORY_RULES
from sipstrobe.config.store import Store
from sipstrobe.events import Function, LiveStreamChanged, MicrophoneChanged, RecordingChanged
from sipstrobe.lightsiren.chimes import FACTORY_CLIPS, PRE_ANNOUNCEMENT, RINGER
from sipstrobe.rules.actions import PlayClip, PlayClipWhile
from sipstrobe.rules.settings import Rule
from tests.rules.bench import Bench, call, clip

GREEN = commands.StartOperation(function=Function.AUDIO_LED, pattern="Steady", colors=("green",))


def switched_on(*names: str) -> list[Rule]:
    """These rules of a new device, as they are when people have switched them on."""
    rules = {rule.name: rule for rule in Store.memory().current.rules}
    return [msgspec.structs.replace(rules[name], enabled=True) for name in names]


def test_they_are_there_and_off() -> None:
    new = Store.memory().current

    assert new.rules == FACTORY_RULES
    assert not any(rule.enabled for rule in new.rules)


@pytest.mark.parametrize("place", range(len(FACTORY_RULES)))
def test_each_can_be_switched_on_as_it_is(place: int) -> None:
    store = Store.memory()
    store.carry_out(store.prepare_put(f"/rules/{place}/enabled", True))

    assert store.current.rules[place].enabled


def test_who_has_removed_them_does_not_get_them_back(tmp_path: Path) -> None:
    """They are part of a new state, not of every start."""
    store = Store.open(tmp_path)
    store.change_now({"rules": []})
    store.close()

    again = Store.open(tmp_path)
    assert again.current.rules == ()
    again.close()


def test_a_demonstration_has_its_own_rules_only() -> None:
    store = Store.memory()
    store.change_now(demo())

    assert len(store.current.rules) == len(EXTENSIONS)


def test_the_front_light_is_green_during_a_call_with_the_microphone_on() -> None:
    """EVT-10."""
    bench = Bench(*switched_on("Green front light during calls"))

    assert bench.hear(call("active")) == []
    assert bench.hear(MicrophoneChanged(on=True)) == ["begin Green front light during calls"]
    assert bench.hear(call("idle")) == ["end Green front light during calls"]
    assert bench.commands == [GREEN]


def test_the_front_light_is_green_while_somebody_listens() -> None:
    """EVT-10."""
    bench = Bench(*switched_on("Green front light during live streams"))
    bench.hear(MicrophoneChanged(on=True))

    assert bench.hear(LiveStreamChanged(active=True)) == [
        "begin Green front light during live streams"
    ]
    assert bench.hear(LiveStreamChanged(active=False)) == [
        "end Green front light during live streams"
    ]
    assert bench.commands == [GREEN]


def test_the_front_light_is_green_while_something_is_recorded() -> None:
    """EVT-10."""
    bench = Bench(*switched_on("Green front light during recordings"))
    bench.hear(MicrophoneChanged(on=True))

    began = bench.hear(RecordingChanged(recording="a.wav", active=True))
    muted = bench.hear(MicrophoneChanged(on=False))

    assert (began, muted) == (
        ["begin Green front light during recordings"],
        ["end Green front light during recordings"],
    )
    assert bench.commands == [GREEN]


def test_a_call_is_announced_and_then_answered() -> None:
    """EVT-11."""
    bench = Bench(
        *switched_on(
            "Pre-announcement tone on incoming calls", "Answer after the pre-announcement tone"
        )
    )
    bench.hear(call("ringing"))
    bench.hear(clip(PRE_ANNOUNCEMENT, True))
    assert bench.commands == [commands.PlayClip(clip=PRE_ANNOUNCEMENT)]

    bench.hear(clip(PRE_ANNOUNCEMENT, False))
    assert bench.commands[1:] == [commands.AnswerCall(call="c1")]


def test_two_who_have_been_announced_are_both_answered() -> None:
    """EVT-11. The clip plays until the tone of the second is over."""
    bench = Bench(*switched_on("Answer after the pre-announcement tone"))
    bench.hear(call("ringing", "c1"))
    bench.hear(clip(PRE_ANNOUNCEMENT, True))
    bench.hear(call("ringing", "c2"))

    bench.hear(clip(PRE_ANNOUNCEMENT, False))

    assert bench.commands == [commands.AnswerCall(call="c1"), commands.AnswerCall(call="c2")]


def test_the_ringer_is_loud_as_long_as_the_call_rings() -> None:
    """EVT-12."""
    bench = Bench(*switched_on("Loud ringer"))

    assert bench.hear(call("ringing")) == ["begin Loud ringer"]
    assert bench.commands == [commands.PlayClip(clip=RINGER, repeat=None)]
    assert bench.hear(call("active")) == ["end Loud ringer"]


def test_they_play_what_every_device_has() -> None:
    actions = [rule.action for rule in FACTORY_RULES]
    clips = {action.clip for action in actions if isinstance(action, PlayClip | PlayClipWhile)}

    assert clips <= FACTORY_CLIPS.keys()
