"""What each action orders, and how what lasts is undone (ACT-01, ACT-02)."""

from dataclasses import replace

import msgspec
import pytest

from sipstrobe import commands
from sipstrobe.commands import OperationId
from sipstrobe.events import Function
from sipstrobe.rules.actions import (
    MAX_SECONDS,
    Action,
    AnswerCall,
    PageClip,
    PageWhile,
    PlayClip,
    PlayClipWhile,
    Record,
    RecordWhile,
    SendDigits,
    ShowColor,
    StopClip,
)
from sipstrobe.rules.settings import problems
from tests.rules.bench import Bench, call, clip, digit, on, rule, sequence

RINGING = on("call/state", state="ringing")
NO_CALL = {"trigger": "1"}
IN_A_CALL = {"call": "c7", "trigger": "1"}


def test_a_clip_is_played_as_often_as_wanted() -> None:
    """CLP-06: a repeat count, where 0 means once."""
    assert PlayClip(clip="Bell").command({}) == commands.PlayClip(clip="Bell", repeat=0)
    loud = PlayClip(clip="Bell", repeat=1000, volume_db=6.0, priority=9)
    assert loud.command({}) == commands.PlayClip(
        clip="Bell", repeat=1000, volume_db=6.0, priority=9
    )


def test_a_clip_that_plays_while_the_rule_is_active_is_stopped_alone() -> None:
    """EVT-12: only this playback ends; the same clip may play for another reason."""
    ringer = PlayClipWhile(clip="Bell", priority=7)

    assert ringer.command({}) == commands.PlayClip(clip="Bell", repeat=None, priority=7)
    assert ringer.undo(41) == commands.StopClip(playback=41)


def test_a_page_goes_out_as_often_as_wanted_or_while_the_rule_is_active() -> None:
    """EVT-12: only this page ends; the same clip may go out for another reason."""
    group = {"clip": "Bell", "address": "239.1.2.3", "port": 6000, "codec": "G722", "ttl": 4}
    order = commands.PageOut(clip="Bell", address="239.1.2.3", port=6000, codec="G722", ttl=4)
    once = msgspec.convert({"do": "page_clip", "repeat": 2, **group}, PageClip)
    lasting = msgspec.convert({"do": "page_while", **group}, PageWhile)

    assert once.command({}) == replace(order, repeat=2)
    assert lasting.command({}) == replace(order, repeat=None)
    assert lasting.undo(3) == commands.StopPageOut(page=3)


def test_one_clip_is_stopped_or_all() -> None:
    """CLP-08."""
    assert StopClip(clip="Bell").command({}) == commands.StopClip(clip="Bell")
    assert StopClip().command({}) == commands.StopClip()


def test_digits_are_sent_in_the_call_that_fired_the_rule_else_in_all() -> None:
    send = msgspec.convert({"do": "send_digits", "digits": "12,#"}, SendDigits)

    assert send.command(IN_A_CALL) == commands.SendDigits(call="c7", digits="12,#")
    assert send.command(NO_CALL) == commands.SendDigits(call=None, digits="12,#")


def test_the_call_that_fired_the_rule_is_recorded() -> None:
    record = Record(source="call", seconds=30)

    assert record.command(IN_A_CALL) == commands.StartRecording(
        source="call", call="c7", seconds=30
    )
    assert record.command(NO_CALL) == commands.StartRecording(source="call", seconds=30)


def test_the_room_is_recorded_whatever_call_there_is() -> None:
    record = Record(source="microphone", seconds=30)

    assert record.command(IN_A_CALL) == commands.StartRecording(source="microphone", seconds=30)


def test_a_recording_lasts_as_long_as_the_rule() -> None:
    record = RecordWhile(source="speaker")

    assert record.command({}) == commands.StartRecording(source="speaker", seconds=MAX_SECONDS)
    assert record.undo("2026-11-23 call") == commands.StopRecording(recording="2026-11-23 call")


def test_a_light_has_a_colour_while_the_rule_is_active() -> None:
    """ACT-01, front LED colour."""
    show = ShowColor(color="green", priority=2)
    operation = OperationId(Function.AUDIO_LED, 5)

    assert show.command({}) == commands.StartOperation(
        function=Function.AUDIO_LED, pattern="Steady", colors=("green",), priority=2
    )
    assert show.undo(operation) == commands.StopOperations(operations=(operation,), tolerant=True)


@pytest.mark.parametrize(
    "lasting",
    [PlayClipWhile(clip="Bell"), RecordWhile(source="speaker"), ShowColor(color="red")],
)
def test_what_lasts_needs_something_that_ends_it(lasting: Action) -> None:
    [problem] = problems((rule("R", when=on("call/state_change"), action=lasting),))

    assert problem.message == "this action needs a condition to end it"


@pytest.mark.parametrize(
    ("tree", "field"),
    [
        ({"do": "play_clip", "clip": "Bell", "repeat": -1}, "repeat"),
        ({"do": "play_clip", "clip": "Bell", "repeat": 1001}, "repeat"),
        ({"do": "play_clip", "clip": "Bell", "volume_db": 20.5}, "volume_db"),
        ({"do": "play_clip", "clip": "Bell", "priority": 11}, "priority"),
        ({"do": "play_clip", "clip": ""}, "clip"),
        ({"do": "send_digits", "digits": "12a"}, "digits"),
        ({"do": "send_digits", "digits": "1" * 65}, "digits"),
        ({"do": "record", "source": "radio", "seconds": 5}, "source"),
        ({"do": "record", "source": "call", "seconds": 0}, "seconds"),
        ({"do": "show_color", "light": "Lamp", "color": "red"}, "light"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(tree: dict[str, object], field: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=rf"\$\.{field}"):
        msgspec.convert(tree, Action)  # pyright: ignore[reportArgumentType]


def test_every_action_says_what_it_does() -> None:
    """The words are what the page and the log call it."""
    actions = Action.__args__
    assert len({action.words for action in actions}) == len(actions)


def test_a_digit_of_a_call_stops_a_clip() -> None:
    """EXA-11 and DTM-07, in the engine."""
    pressed = on("call/digit", digit="1")
    bench = Bench(rule("Stop", when=pressed, action=StopClip(clip="Bell")))

    assert bench.hear(digit("2")) == []
    assert bench.hear(digit("1")) == ["begin Stop"]
    assert bench.commands == [commands.StopClip(clip="Bell")]


def test_a_sequence_of_digits_is_asked_for_by_the_name_of_its_event() -> None:
    """GAP-26: several sequences may cause the same event."""
    when = on("call/dtmf", name="Silence")
    bench = Bench(rule("Stop", when=when, action=StopClip()))

    assert bench.hear(sequence("Open", "12")) == []
    assert bench.hear(sequence("Silence", "99")) == ["begin Stop"]
    assert bench.hear(sequence("Silence", "*0#")) == ["begin Stop"]


def test_without_a_name_any_clip_that_plays_counts() -> None:
    """CLP-08: the condition holds from the first clip to the last."""
    bench = Bench(rule("Any", on("sound/clip", playing="true"), action=ShowColor(color="red")))

    assert bench.hear(clip("Bell", True)) == ["begin Any"]
    assert bench.hear(clip("Horn", True)) == []
    assert bench.hear(clip("Bell", False)) == []
    assert bench.hear(clip("Horn", False)) == ["end Any"]


def test_inverted_it_holds_while_none_plays() -> None:
    """CLP-08, EVT-05."""
    quiet = on("sound/clip", playing="true", invert=True)
    bench = Bench(rule("Quiet", quiet, action=ShowColor(color="red")))

    assert bench.first == ["begin Quiet"]
    assert bench.hear(clip("Bell", True)) == ["end Quiet"]
    assert bench.hear(clip("Bell", False)) == ["begin Quiet"]


def test_one_clip_among_others_is_asked_for_by_its_name() -> None:
    bench = Bench(rule("Horn", on("sound/clip", clip="Horn", playing="true"), action=StopClip()))

    assert bench.hear(clip("Bell", True)) == []
    assert bench.hear(clip("Horn", True)) == ["begin Horn"]
    assert bench.hear(clip("Horn", False)) == ["end Horn"]


def test_a_call_is_answered_when_the_clip_has_ended_and_it_still_rings() -> None:
    """EXA-12: clip playing, inverted, as the trigger; ringing as the condition."""
    bench = answering()

    assert bench.hear(call("ringing")) == ["begin Play"]
    assert bench.hear(clip("Bell", True)) == []
    assert bench.hear(clip("Bell", False)) == ["begin Answer"]
    assert bench.commands[-1] == commands.AnswerCall(call="c1")


def test_a_caller_who_gave_up_meanwhile_is_not_answered() -> None:
    """EXA-12: "… and the call still rings"."""
    bench = answering()
    bench.hear(call("ringing"))
    bench.hear(clip("Bell", True))
    bench.hear(call("idle"))

    assert bench.hear(clip("Bell", False)) == []


def answering() -> Bench:
    """The two rules of EXA-12."""
    ended = on("sound/clip", clip="Bell", playing="true", invert=True)
    return Bench(
        rule("Play", when=RINGING, action=PlayClip(clip="Bell")),
        rule("Answer", RINGING, when=ended, action=AnswerCall()),
    )
