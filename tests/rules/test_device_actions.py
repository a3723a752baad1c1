"""Actions on light, siren and the device itself (ACT-01, MTR-01)."""

import msgspec
import pytest

from sipstrobe import commands
from sipstrobe.commands import OperationId
from sipstrobe.events import Function
from sipstrobe.rules.actions import (
    Action,
    Call,
    CallWhile,
    CheckHealth,
    Locate,
    RunLight,
    RunSiren,
    SetTrigger,
    StartLight,
    StartSiren,
    StopSignals,
    SwitchMaintenance,
    SwitchVolume,
    WriteToLog,
)
from sipstrobe.rules.actions.base import RULE_NAME


def test_a_light_is_started_alone() -> None:
    order = StartLight(pattern="Rotate", colors=("red", "amber"), speed=2, intensity=4, seconds=30)

    assert order.command({}) == commands.StartOperation(
        function=Function.SIGNALING_LED,
        pattern="Rotate",
        colors=("red", "amber"),
        speed=2,
        intensity=4,
        duration=("seconds", 30),
    )


def test_the_siren_is_started_alone() -> None:
    assert StartSiren(pattern="Alarm", priority=7).command({}) == commands.StartOperation(
        function=Function.AUDIO_SPEAKER, pattern="Alarm", priority=7
    )


@pytest.mark.parametrize(
    ("lasting", "function"),
    [
        (RunLight(light="AudioLED", pattern="Steady"), Function.AUDIO_LED),
        (RunSiren(pattern="Alarm"), Function.AUDIO_SPEAKER),
    ],
)
def test_what_runs_while_a_rule_is_active_is_stopped_alone(
    lasting: RunLight | RunSiren, function: Function
) -> None:
    """ACT-02."""
    order = lasting.command({})

    assert isinstance(order, commands.StartOperation)
    assert (order.function, order.duration) == (function, None)
    operation = OperationId(function, 3)
    assert lasting.undo(operation) == commands.StopOperations(
        operations=(operation,), tolerant=True
    )


@pytest.mark.parametrize(
    ("what", "functions"),
    [
        ("all", {Function.SIGNALING_LED, Function.AUDIO_LED, Function.AUDIO_SPEAKER}),
        ("light", {Function.SIGNALING_LED, Function.AUDIO_LED}),
        ("siren", {Function.AUDIO_SPEAKER}),
    ],
)
def test_light_siren_or_both_are_stopped(what: str, functions: set[Function]) -> None:
    order = msgspec.convert({"do": "stop_signals", "what": what}, StopSignals).command({})

    assert isinstance(order, commands.StopAll)
    assert set(order.functions) == functions


def test_the_device_itself_obeys_rules() -> None:
    assert CheckHealth().command({}) == commands.RunHealthCheck()
    assert Locate(seconds=5).command({}) == commands.LocateDevice(seconds=5)
    assert SetTrigger(trigger=1, active=False).command({}) == commands.SetManualTrigger(
        trigger=1, active=False
    )
    assert SwitchVolume(volume_db=-20.0).command({}) == commands.SetVolume(volume_db=-20.0)


def test_maintenance_lasts_as_long_as_is_said() -> None:
    on = SwitchMaintenance(seconds=60)

    assert on.command({}) == commands.SetMaintenance(active=True, seconds=60)
    off = SwitchMaintenance(active=False, seconds=60)
    assert off.command({}) == commands.SetMaintenance(active=False)


def test_a_line_of_the_log_is_written_with_what_happened() -> None:
    items = {"digit": "7", RULE_NAME: "Door"}

    assert WriteToLog(text="{event.digit}").command(items) == commands.WriteLog(
        text="{event.digit}", items=items, rule="Door"
    )


@pytest.mark.parametrize(
    ("tree", "field"),
    [
        ({"do": "start_light", "pattern": ""}, "pattern"),
        ({"do": "start_light", "pattern": "Steady", "seconds": 0}, "seconds"),
        ({"do": "run_siren", "pattern": "Alarm", "priority": 11}, "priority"),
        ({"do": "locate", "seconds": 601}, "seconds"),
        ({"do": "set_volume", "volume_db": 1.0}, "volume_db"),
        ({"do": "write_log", "text": "two\nlines"}, "text"),
        ({"do": "set_manual_trigger", "trigger": 17, "active": True}, "trigger"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(tree: dict[str, object], field: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=rf"\$\.{field}"):
        msgspec.convert(tree, Action)  # pyright: ignore[reportArgumentType]


def test_a_call_is_made_with_a_clip_or_without() -> None:
    plain = Call(uri="1001", account="desk")
    told = Call(uri="sip:guard@192.0.2.7", clip="Fire", hang_up=False)

    assert plain.command({}) == commands.Dial(uri="1001", account="desk")
    assert told.command({}) == commands.CallAndTell(
        uri="sip:guard@192.0.2.7", clip="Fire", hang_up=False
    )


def test_a_call_ends_with_the_rule() -> None:
    """ACT-02; and no fault if it has ended before."""
    lasting = CallWhile(uri="1001", clip="Fire")

    assert lasting.command({}) == commands.CallAndTell(uri="1001", clip="Fire", hang_up=False)
    assert lasting.undo("c7") == commands.HangUp(call="c7", tolerant=True)
