"""A relay neither hears itself, nor relays what was relayed, nor speaks when others do."""

from pathlib import Path
from typing import Any, cast

import pytest

from sipstrobe import commands
from sipstrobe.audio.policy import Places
from sipstrobe.audio.source import SourceKind
from sipstrobe.commands import OperationId
from sipstrobe.config.settings import Settings
from sipstrobe.events import (
    Function,
    OperationChanged,
    OperationPhase,
    PageState,
    PageStateChanged,
)
from sipstrobe.multicast.settings import PageSource
from sipstrobe.rtp import packet, rtcp
from sipstrobe.rules.actions import PlayClip
from sipstrobe.rules.settings import Rule
from sipstrobe.services.automation import Automation
from sipstrobe.services.clip_library import ClipLibrary
from sipstrobe.services.clips import Clips
from sipstrobe.services.group_line import COLLISION, RETRY
from sipstrobe.services.page_stream import PageStream
from tests.rules.bench import on as on_event
from tests.rules.bench import rule
from tests.services.relaying import (
    BOTH,
    GROUP,
    ON,
    PORT,
    STEP,
    STRANGER,
    TURN,
    Device,
    Voice,
    on,
    play,
)

GONG = PlayClip(clip="Gong")

# --- loops --------------------------------------------------------------------------------------


def test_a_page_that_came_by_multicast_never_goes_out() -> None:
    device = on(BOTH)

    play(device, 0.2, Voice(device, "page Fire", place=1, relayable=False))

    assert device.air.sent == []


def test_a_clip_that_a_page_has_started_does_not_go_out() -> None:
    """Else two devices with such a rule would answer each other for ever."""
    device = on(BOTH)
    clips: list[Voice] = []

    def serve(_: commands.PlayClip) -> int:
        clips.append(Voice(device, "clip", SourceKind.CLIP))
        return 1

    device.context.dispatcher.serve(commands.PlayClip, serve)
    automation = Automation(device.context)
    fire = on_event("sound/page", page="Fire", state="active")
    automation.apply((rule("Answer", fire, action=GONG),), ())

    changed = PageStateChanged(page="Fire", state=PageState.ACTIVE, sender=STRANGER[0])
    device.context.bus.publish(changed)
    play(device, 0.2, *clips)

    assert len(clips) == 1
    assert device.air.sent == []
    automation.close()


@pytest.mark.parametrize(
    "answer",
    [
        rule("Answer", on_event("signal/operation", phase="shown", profile="Notice"), action=GONG),
        rule("Answer", on_event("sound/output", active="true"), action=GONG),
        rule("Answer", when=on_event("sound/played", kind="page"), action=GONG),
    ],
    ids=["its light", "its sound", "its end"],
)
@pytest.mark.parametrize("hidden", [False, True], ids=["at once", "hidden before"])
def test_nor_does_a_clip_that_follows_from_what_the_page_has_done(
    answer: Rule, hidden: bool
) -> None:
    device = on(BOTH)
    clips: list[Voice] = []

    def play_clip(_: commands.PlayClip) -> int:
        clips.append(Voice(device, "clip", SourceKind.CLIP, rank=1))
        return 1

    def start(order: commands.StartProfile) -> tuple[OperationId, ...]:
        device.context.bus.publish(
            OperationChanged(
                function=Function.SIGNALING_LED,
                operation=1,
                phase=OperationPhase.SHOWN,
                pattern="steady",
                priority=5,
                profile=order.profile,
            )
        )
        return ()

    device.context.dispatcher.serve(commands.PlayClip, play_clip)
    device.context.dispatcher.serve(commands.StartProfile, start)
    device.bench.sound.apply_places(Places(calls=1, clips=3, streams=3))
    automation = Automation(device.context)
    source = PageSource(label="Fire", address=GROUP, port=PORT, profile="Notice")
    stream = PageStream(device.context, source, 2, "PCMU")
    call = Voice(device, "out-1", SourceKind.CALL, relayable=False) if hidden else None
    for number in range(20):
        if number == 10:
            automation.apply((answer,), ())
            if call is not None:
                call.end()
        if hidden or number >= 10:
            sound = packet.build(0, False, number, 160 * number, 7, bytes(160))
            stream.receive(sound, STRANGER, device.clock.now())
        play(device, TURN)
    play(device, 2.0)

    assert clips
    play(device, 0.2, *clips)
    assert device.air.sent == []
    automation.close()
    stream.close()


def test_nor_does_a_clip_that_follows_such_a_clip(tmp_path: Path) -> None:
    """A gong, and then what is to be said: else the second would be the page that begins it all."""
    device = on(BOTH)
    clips = Clips(
        device.context, ClipLibrary(device.context, tmp_path, cast("Any", None), Settings)
    )
    automation = Automation(device.context)
    fire = on_event("sound/page", page="Fire", state="active")
    beep = on_event("sound/clip", clip="Beep", playing="false")
    gong = rule("Gong", fire, action=PlayClip(clip="Beep"))
    words = rule("Words", when=beep, action=PlayClip(clip="Ding-dong"))
    automation.apply((gong, words), ())

    changed = PageStateChanged(page="Fire", state=PageState.ACTIVE, sender=STRANGER[0])
    device.context.bus.publish(changed)
    play(device, 1.0)
    assert [clip["clip"] for clip in clips.snapshot()] == ["Ding-dong"]
    assert device.air.sent == []

    device.context.dispatcher.execute(commands.StopClip())
    device.context.dispatcher.execute(commands.PlayClip(clip="Beep"))
    play(device, 1.0)
    assert device.air.sent  # as ever
    automation.close()
    clips.close()


def test_our_own_packets_are_nobodys_page() -> None:
    """The machine hands them back to all of its sockets that have joined the group."""
    device = on()
    voice = Voice(device)
    play(device, 0.4, voice)
    voice.end()

    own = device.relay.own
    for _, data, port in (*device.air.sent, *device.air.reports):
        assert (data, ("192.0.2.1", port)) in own
    assert device.state == ("idle", "", "")


def test_a_device_that_calls_itself_goes_out_once() -> None:
    """The call comes in as a page, and has another end here that is none."""
    device = on(BOTH)
    inside, outside = Voice(device, "in-1"), Voice(device, "out-1", SourceKind.CALL)
    outside.end()
    outside = Voice(device, "out-1", SourceKind.CALL, relayable=False)

    play(device, 0.4, inside, outside)

    assert device.state == ("sending", "in-1", "")
    assert len({p.ssrc for p in device.air.packets}) == 1


# --- the group ----------------------------------------------------------------------------------


def say_to(device: Device, number: int = 1, ssrc: int = 7) -> None:
    """Somebody else speaks to the group."""
    device.air.spread(packet.build(0, False, number, 160 * number, ssrc, bytes(160)), STRANGER)


def test_who_speaks_to_the_group_already_is_not_interrupted() -> None:
    """Those who hear both would hear him only, and of us the rest."""
    device = on()
    say_to(device)
    voice = Voice(device)
    for number in range(2, 12):
        say_to(device, number)
        play(device, TURN, voice)
    assert device.state == ("blocked", "in-1", f"{STRANGER[0]} speaks to {GROUP}")
    assert device.air.sent == []
    assert device.problems == []

    goodbye = rtcp.compound([rtcp.Report(7), rtcp.Bye((7,))])
    device.air.spread(goodbye, (STRANGER[0], STRANGER[1] + 1), is_rtcp=True)
    play(device, 0.1, voice)

    assert device.state == ("sending", "in-1", "")


def test_who_spoke_before_we_could_hear_him_is_not_interrupted() -> None:
    """The relay is switched on in the middle of a call, and of a page of his."""
    device = Device()
    voice = Voice(device)
    for _ in range(4):
        voice.say()  # so much of it that it goes out at once

    device.relay.apply(ON, "PCMU")
    for number in range(20):
        play(device, TURN, voice)
        say_to(device, number, ssrc=0xFFFFFFFF)

    assert device.state[0] == "blocked"
    assert len(device.air.byes) == 1


def test_who_comes_later_does_not_interrupt_us() -> None:
    device = on()
    voice = Voice(device)
    play(device, 0.4, voice)

    for number in range(10):
        say_to(device, number)
        play(device, TURN, voice)

    assert device.state == ("sending", "in-1", "")
    assert len(device.air.sent) >= 28


def test_who_speaks_in_a_pause_of_ours_has_the_group() -> None:
    device = on()
    voice = Voice(device)
    play(device, 0.4, voice)
    play(device, 0.4)

    say_to(device)
    assert len(device.air.byes) == 1
    play(device, 0.1, voice)
    assert device.state[0] == "blocked"
    play(device, 0.4, voice)

    assert device.state[0] == "sending"


def test_who_has_begun_before_a_pause_of_ours_has_the_group_in_it() -> None:
    """Those who hear us out hear him next."""
    device = on()
    voice = Voice(device)
    play(device, 0.4, voice)

    for number in range(30):
        say_to(device, number)
        play(device, TURN, *([voice] if number < 5 or number >= 20 else []))

    assert len(device.air.byes) == 1
    assert device.state[0] == "blocked"
    play(device, 0.4, voice)
    assert device.state[0] == "sending"


def test_of_two_relays_that_begin_at_the_same_time_one_gives_way() -> None:
    """An exchange calls both at once. Of two at once nobody is understood."""
    first = on()
    second = Device(air=first.air)
    second.bench.clock.time = first.clock.time
    second.relay.apply(ON, "PCMU")
    for device in (first, second):
        play(device, 2 * COLLISION)  # they know that nobody speaks
    voices = Voice(first, "in-1"), Voice(second, "in-2")

    for _ in range(30):
        for voice in voices:
            voice.say()
        for _ in range(4):
            first.air.held = []
            for device in (first, second):
                device.bench.play(STEP)
            held, first.air.held = first.air.held, None
            for data, source in held:
                first.air.spread(data, source)

    assert sorted(d.state[0] for d in (first, second)) == ["blocked", "sending"]
    assert len(first.air.byes) == 1
    counts = sorted(d.relay.snapshot()["packets"] for d in (first, second))
    assert counts[0] <= 2
    assert counts[1] >= 25


def test_two_relays_to_one_group_take_turns() -> None:
    """Neither relays what it hears of the other, and who comes second waits."""
    first = on()
    second = Device(air=first.air)
    second.bench.clock.time = first.clock.time
    second.relay.apply(ON, "PCMU")
    one = Voice(first, "in-1")
    two: Voice | None = None

    for n in range(40):
        if n == 15:
            two = Voice(second, "in-2")
        if n < 30:
            one.say()
        if n == 30:
            one.end()
        if two is not None:
            two.say()
        for _ in range(4):
            for device in (first, second):
                device.bench.play(STEP)
        if 15 < n < 30:
            assert second.state == ("blocked", "in-2", f"192.0.2.1 speaks to {GROUP}")

    assert (first.state[0], second.state[0]) == ("idle", "sending")


def test_a_group_that_cannot_be_joined_is_told_and_tried_again() -> None:
    device = Device()
    device.line.refusal = "No such device"
    device.relay.apply(ON, "PCMU")
    voice = Voice(device)
    play(device, 0.2, voice)
    words = f"{GROUP} cannot be joined: No such device"
    assert device.state == ("blocked", "in-1", words)
    assert device.problems == [words]

    device.line.refusal = ""
    play(device, RETRY + 0.2, voice)

    assert device.state == ("sending", "in-1", "")
    assert device.problems == [words, ""]


def test_a_network_that_takes_nothing_is_told_and_tried_again() -> None:
    device = on()
    voice = Voice(device)
    play(device, 0.4, voice)

    device.air.refusal = "Network is unreachable"
    play(device, 0.4, voice)
    words = f"{GROUP} cannot be reached: Network is unreachable"
    assert device.state == ("blocked", "in-1", words)
    play(device, 2 * RETRY, voice)
    assert device.problems == [words]
    device.air.refusal = ""
    play(device, RETRY + 0.2, voice)

    assert device.state == ("sending", "in-1", "")
    assert device.problems == [words, ""]


def test_an_interface_that_cannot_be_used_is_told_and_tried_again() -> None:
    device = on()
    device.line.mute = "eth9 cannot be used: No such device"
    voice = Voice(device)
    play(device, 0.2, voice)
    assert device.state == ("blocked", "in-1", device.line.mute)

    device.line.mute = ""
    play(device, RETRY + 0.2, voice)

    assert device.state == ("sending", "in-1", "")


def test_a_goodbye_that_the_network_does_not_take_is_forgotten() -> None:
    """Those who hear us find out by themselves."""
    device = on()
    voice = Voice(device)
    play(device, 0.2, voice)

    device.air.refusal = "Network is unreachable"
    voice.end()

    assert device.state == ("idle", "", "")


def test_who_begins_and_ends_without_end_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Anybody in the network could."""
    caplog.set_level("INFO")
    device = on()
    play(device, TURN, Voice(device))

    for number in range(50):
        say_to(device, number)
        goodbye = rtcp.compound([rtcp.Report(7), rtcp.Bye((7,))])
        device.air.spread(goodbye, (STRANGER[0], STRANGER[1] + 1), is_rtcp=True)

    assert 0 < len([r for r in caplog.records if "page_relay" in r.name]) < 5


def test_a_packet_that_the_network_does_not_take_is_no_trouble() -> None:
    device = on()
    voice = Voice(device)
    play(device, 0.4, voice)

    device.air.refusal = "No buffer space available"
    play(device, 2 * TURN, voice)
    device.air.refusal = ""
    play(device, 0.2, voice)

    assert device.problems == []
    assert len({p.ssrc for p in device.air.packets}) == 1


def test_trouble_is_over_when_nothing_is_to_be_relayed_and_the_group_is_there() -> None:
    device = on()
    voice = Voice(device)
    device.air.refusal = "Network is unreachable"
    play(device, 0.4, voice)
    voice.end()
    assert device.state[0] == "blocked"

    play(device, RETRY + 0.1)

    assert device.state == ("idle", "", "")


def test_a_device_that_ends_says_goodbye() -> None:
    device = on()
    play(device, 0.2, Voice(device))

    device.relay.close()

    assert len(device.air.byes) == 1
    assert device.line.rtp is None
