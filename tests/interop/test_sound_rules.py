"""Rules with clips, digits and calls, each step with a phone of others and in the recorded sound.

One clip lasts 0.8 s, the other is repeated for as long as it takes. Calls to 3001 are answered and
play the long one until 1 is pressed; calls to 3002 are answered after the short one, and to 3005
after the long one; 3006 answers with digits and is recorded. For 3001, 3003 and 3004, rules of a
new device are switched on. The microphone is in a room where nothing is to be heard.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from sipstrobe.config.factory import FACTORY_RULES
from sipstrobe.lightsiren.chimes import FACTORY_CLIPS, PRE_ANNOUNCEMENT
from sipstrobe.rules.actions import (
    AnswerCall,
    PlayClip,
    RecordWhile,
    RunProfile,
    SendDigits,
    StopClip,
)
from sipstrobe.rules.settings import Condition, Rule
from tests.interop.baresip import Baresip, baresip
from tests.interop.device import RATE, START_LIMIT, Device, device, wait_until
from tests.interop.tones import TONE_DB, write_tone
from tests.interop.witness import SILENCE_DB, await_profile, on_time
from tests.support.hear import Samples, level_db, loud_spans, tone_db

pytestmark = pytest.mark.interop

CHIME, CHIME_HERTZ, CHIME_SECONDS = "Chime", 700.0, 0.8
LONG, LONG_HERTZ = "Long", 900.0
SLACK = 0.15  # seconds: how exactly a test knows when it was that it saw something
PROFILE = {
    "name": "Clip alarm",
    "light": {"pattern": "Steady", "colors": ["red"], "priority": 6},
    "siren": {"pattern": f"clip:{LONG}", "intensity": 5, "priority": 6},
}


def ringing(extension: str) -> Condition:
    return Condition(event="call/state", match={"state": "ringing", "extension": extension})


def active(extension: str) -> Condition:
    return Condition(event="call/state", match={"state": "active", "extension": extension})


def ended(clip: str) -> Condition:
    """As a trigger."""
    match = {"clip": clip, "playing": "true"}
    return Condition(event="sound/clip", match=match, invert=True)


def switched_on(name: str, extension: str) -> Rule:
    """A rule of a new device, switched on for calls to this extension."""
    rule = next(rule for rule in FACTORY_RULES if rule.name == name)
    narrowed = [narrow(condition, extension) for condition in rule.conditions]
    when = rule.when and narrow(rule.when, extension)
    return msgspec.structs.replace(rule, enabled=True, when=when, conditions=tuple(narrowed))


def narrow(condition: Condition, extension: str) -> Condition:
    if condition.event != "call/state":
        return condition
    match = condition.match | {"extension": extension}
    return msgspec.structs.replace(condition, match=match)


PRESSED = Condition(event="input/manual_trigger", match={"trigger": "1", "active": "true"})
SILENCE = Condition(event="call/dtmf", match={"name": "Silence"})
RULES = (
    Rule(name="Answer 3001", when=ringing("3001"), action=AnswerCall()),
    Rule(name="Play in 3001", when=active("3001"), action=PlayClip(clip=LONG, repeat=30)),
    Rule(name="1 stops the clip", when=SILENCE, action=StopClip(clip=LONG)),
    Rule(name="Chime for 3002", when=ringing("3002"), action=PlayClip(clip=CHIME)),
    Rule(
        name="Answer 3002 then",
        when=ended(CHIME),
        conditions=(ringing("3002"),),
        action=AnswerCall(),
    ),
    Rule(name="Long for 3005", when=ringing("3005"), action=PlayClip(clip=LONG, repeat=30)),
    Rule(
        name="Answer 3005 then",
        when=ended(LONG),
        conditions=(ringing("3005"),),
        action=AnswerCall(),
    ),
    Rule(name="Answer 3006", when=ringing("3006"), action=AnswerCall()),
    Rule(name="Tell 3006", when=active("3006"), action=SendDigits(digits="5#")),
    Rule(name="Record 3006", conditions=(active("3006"),), action=RecordWhile(source="call")),
    switched_on("Green front light during calls", "3001"),
    switched_on("Pre-announcement tone on incoming calls", "3003"),
    switched_on("Answer after the pre-announcement tone", "3003"),
    switched_on("Loud ringer", "3004"),
    Rule(name="Input", conditions=(PRESSED,), action=RunProfile(profile="Clip alarm")),
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, silence: Path) -> Iterator[Device]:
    """A device that rings, with two clips that were sent to it."""
    folder = tmp_path_factory.mktemp("sound-rules")
    digits = json.dumps([{"sequence": "1", "name": "Silence"}])
    with device(
        folder,
        *("--set", "/sip/accounts/0/answer_automatically=false"),
        *("--set", f"/dtmf/sequences={digits}"),
        *("--set", f"/audio/microphone/input=wav:{silence}"),
    ) as running:
        upload(running, CHIME, write_tone(folder / "a.wav", [CHIME_HERTZ], CHIME_SECONDS))
        upload(running, LONG, write_tone(folder / "b.wav", [LONG_HERTZ], 1.0))
        running.set("/profiles/-", PROFILE)
        running.set("/rules", msgspec.to_builtins(RULES))
        yield running
        running.wait_idle()


@pytest.fixture(scope="module")
def phone(silence: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Baresip]:
    with baresip(tmp_path_factory.mktemp("phone"), source=silence) as phone:
        yield phone


def upload(to: Device, name: str, file: Path) -> None:
    """Add a clip as a program does; the first one starts the process that decodes."""
    url = f"http://127.0.0.1:{to.http}/api/v1/clips?name={name}"
    command = ["curl", "-sf", "-o", "/dev/null", "--digest", "-u", f"admin:{to.password}"]
    subprocess.run([*command, "--data-binary", f"@{file}", url], check=True, timeout=START_LIMIT)


def ring(phone: Baresip, to: Device, extension: str) -> float:
    """Call an extension that rings; when it began."""
    began = time.monotonic()
    phone.command("dial", to.uri(extension))
    phone.wait_for("CALL_RINGING")
    return began


def spans(sound: Samples, hertz: float) -> list[tuple[float, float]]:
    """When this tone is to be heard, to 10 ms."""
    size = RATE // 100
    pieces = [sound[n : n + size] for n in range(0, len(sound) - size + 1, size)]
    loud = [False, *(tone_db(piece, hertz) > TONE_DB - 12 for piece in pieces), False]
    edges = [n / 100 for n, (now, then) in enumerate(pairwise(loud)) if now != then]
    return list(zip(edges[::2], edges[1::2], strict=True))


def test_an_input_runs_a_profile_whose_siren_is_a_clip(house: Device) -> None:
    """EXA-09, and EXA-01 with a trigger that is pressed by hand."""

    def story() -> None:
        pressed = time.monotonic()
        house.command("set-manual-trigger", trigger=1, active=True)
        try:
            lit = await_profile(house, "Clip alarm", pressed)
            heard = house.heard(lit.at + SLACK, lit.at + SLACK + 0.3)
        finally:
            house.command("set-manual-trigger", trigger=1, active=False)
        dark = await_profile(house, "", lit.at)
        silent = house.heard(dark.at + SLACK, dark.at + SLACK + 0.1)
        assert tone_db(heard, LONG_HERTZ) == pytest.approx(TONE_DB, abs=1.0)
        assert level_db(silent) < SILENCE_DB

    on_time(house, story)


def test_a_press_of_1_silences_the_clip(
    house: Device, phone: Baresip, figures: dict[str, str]
) -> None:
    """EXA-11, DTM-07."""

    def story() -> None:
        house.command("stop-clip")
        phone.dial(house.uri("3001"))
        began = time.monotonic()
        time.sleep(0.5)
        pressed = time.monotonic()
        phone.command("sndcode", "1")
        wait_until(lambda: not clips_playing(house), words="no clip plays")
        ended = time.monotonic()
        phone.hang_up()
        [(first, last)] = spans(house.heard(began - 0.3, ended + SLACK), LONG_HERTZ)
        assert first < 0.3 + SLACK
        stopped = began - 0.3 + last - pressed
        assert -SLACK < stopped < ended - pressed + SLACK
        figures["a press of 1 → the clip is silent"] = f"{stopped * 1e3:.0f} ± 10 ms"

    on_time(house, story)


def test_a_call_is_recorded_while_it_lasts_and_gets_digits(house: Device, phone: Baresip) -> None:
    """The rules' orders are about the call that fired them."""

    def recordings() -> list[bool]:
        return [r["active"] for r in house.api("GET", "recordings")["recordings"]]

    phone.dial(house.uri("3006"))
    wait_until(lambda: recordings() == [True], words="it is recorded")
    for _ in "5#":
        phone.wait_for("CALL_DTMF_START")
    assert phone.digits.endswith("5#")
    phone.hang_up()
    wait_until(lambda: recordings() == [False], words="the recording has ended")


def test_the_front_light_is_green_while_a_caller_may_hear_the_room(
    house: Device, phone: Baresip
) -> None:
    """EVT-10: in a call, with the microphone on."""

    def shown() -> list[tuple[str, list[str]]]:
        return [(o["pattern"], o["colors"]) for o in house.operations("AudioLED")]

    phone.dial(house.uri("3001"))
    wait_until(lambda: shown() == [("Steady", ["green"])], words="green")
    house.api("PATCH", "settings/audio", microphone={"muted": True})
    wait_until(lambda: shown() == [], words="dark when muted")
    house.api("PATCH", "settings/audio", microphone={"muted": False})
    wait_until(lambda: shown() == [("Steady", ["green"])], words="green again")
    phone.hang_up()
    wait_until(lambda: shown() == [], words="dark without a call")
    house.command("stop-clip")


def test_a_call_is_answered_when_the_clip_has_ended_and_it_still_rings(
    house: Device, phone: Baresip
) -> None:
    """EXA-12."""

    def story() -> None:
        began = ring(phone, house, "3002")
        assert [call["state"] for call in house.calls] == ["ringing"]
        phone.wait_for("CALL_ESTABLISHED")
        answered = time.monotonic()
        phone.hang_up()
        [(first, last)] = spans(house.heard(began, answered + SLACK), CHIME_HERTZ)
        assert last - first == pytest.approx(CHIME_SECONDS, abs=0.05)
        assert began + last < answered + SLACK

    on_time(house, story)


def test_who_hangs_up_while_the_clip_plays_is_not_answered(house: Device, phone: Baresip) -> None:
    """EXA-12: no call rings any more as it ends."""
    ring(phone, house, "3005")
    phone.hang_up()
    house.wait_idle()
    house.command("stop-clip", clip=LONG)

    def told() -> str:
        [rule] = [r for r in house.status()["rules"] if r["name"] == "Answer 3005 then"]
        return str(rule["history"][-1:])

    wait_until(lambda: "sound/clip" in told(), words="the end of the clip")
    assert "not all conditions hold; false: call/state: state ringing" in told()


def test_a_new_device_s_rules_announce_a_call_and_answer_it_then(
    house: Device, phone: Baresip
) -> None:
    """EVT-11: the caller hears that it rings, and the room four notes."""
    seconds = FACTORY_CLIPS[PRE_ANNOUNCEMENT].sound.seconds
    began = ring(phone, house, "3003")
    phone.wait_for("CALL_ESTABLISHED")
    answered = time.monotonic()
    phone.hang_up()
    heard = house.heard(began, answered)

    assert answered - began > seconds
    assert sum(b - a for a, b in loud_spans(heard)) > 0.5 * seconds


def test_a_new_device_s_loud_ringer_stops_when_the_call_is_answered(
    house: Device, phone: Baresip
) -> None:
    """EVT-12."""

    def story() -> None:
        began = ring(phone, house, "3004")
        time.sleep(0.6)
        answering = time.monotonic()
        house.command("answer-call")
        phone.wait_for("CALL_ESTABLISHED")
        answered = time.monotonic()
        rung = house.heard(began, answering)
        after = house.heard(answered + SLACK, answered + SLACK + 0.2)
        phone.hang_up()
        assert sum(b - a for a, b in loud_spans(rung)) > 0.3
        assert level_db(after) < SILENCE_DB

    on_time(house, story)


def clips_playing(of: Device) -> list[str]:
    return [clip["name"] for clip in of.api("GET", "clips")["clips"] if clip["playing"]]
