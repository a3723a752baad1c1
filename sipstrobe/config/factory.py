"""What a new device has beyond the defaults: rules that people need only switch on (EVT-10…12)."""

from typing import Any

from sipstrobe.config import check
from sipstrobe.lightsiren.chimes import PRE_ANNOUNCEMENT, RINGER
from sipstrobe.rules.actions import AnswerCall, PlayClip, PlayClipWhile, ShowColor
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.schedules.settings import FACTORY_SCHEDULES

_RINGING = Condition(event="call/state", match={"state": "ringing", "direction": "incoming"})
_MICROPHONE = Condition(event="sound/microphone", match={"on": "true"})
_GREEN = ShowColor(light="AudioLED", color="green")

FACTORY_RULES = (
    Rule(  # EVT-10, with the next two
        name="Green front light during live streams",
        enabled=False,
        conditions=(Condition(event="sound/live_stream", match={"active": "true"}), _MICROPHONE),
        action=_GREEN,
    ),
    Rule(
        name="Green front light during recordings",
        enabled=False,
        conditions=(Condition(event="sound/recording", match={"active": "true"}), _MICROPHONE),
        action=_GREEN,
    ),
    Rule(
        name="Green front light during calls",
        enabled=False,
        conditions=(Condition(event="call/state", match={"state": "active"}), _MICROPHONE),
        action=_GREEN,
    ),
    Rule(  # EVT-11, with the next: the account does not answer by itself
        name="Pre-announcement tone on incoming calls",
        enabled=False,
        when=_RINGING,
        action=PlayClip(clip=PRE_ANNOUNCEMENT),
    ),
    Rule(  # EVT-11, EXA-12
        name="Answer after the pre-announcement tone",
        enabled=False,
        when=Condition(
            event="sound/clip", match={"clip": PRE_ANNOUNCEMENT, "playing": "true"}, invert=True
        ),
        conditions=(_RINGING,),
        action=AnswerCall(all=True),
    ),
    Rule(  # EVT-12
        name="Loud ringer",
        enabled=False,
        conditions=(_RINGING,),
        action=PlayClipWhile(clip=RINGER),
    ),
)


def factory_tree(serial: str) -> dict[str, Any]:
    """The settings of a new device, as far as they differ from the defaults."""
    return {
        "device": {"serial": serial},
        "rules": check.plain(FACTORY_RULES),
        "schedules": check.plain(FACTORY_SCHEDULES),
    }
