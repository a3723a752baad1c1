"""Actions on calls."""

from collections.abc import Mapping
from typing import Annotated, cast

from msgspec import Meta

from sipstrobe import commands
from sipstrobe.commands import Command
from sipstrobe.rules.actions.base import RuleAction

MAX_DIGITS = 64


class AnswerCall(RuleAction, tag="answer_call", frozen=True, kw_only=True):
    """Answer the call that fired the rule, else the one that rings longest, or all of them."""

    words = "Answer the call"
    all: Annotated[
        bool,
        Meta(
            title="All that ring",
            description="Of calls that a condition holds of, not only the one that rings longest.",
        ),
    ] = False

    @property
    def for_each(self) -> str:
        return "call" if self.all else ""

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.AnswerCall(call=items.get("call"))


class HangUp(RuleAction, tag="hang_up", frozen=True, kw_only=True):
    """End the call that fired the rule or that a condition holds of, else all."""

    words = "Hang up"

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.HangUp(call=items.get("call"))


class Calling(RuleAction, frozen=True, kw_only=True):
    """Base of the actions that make a call."""

    uri: Annotated[
        str,
        Meta(
            pattern=r"^[^\x00-\x20\x7f]{1,256}$(?!\n)",
            title="Address",
            description="As it is dialled: a number, or an address such as sip:desk@192.0.2.7.",
        ),
    ]
    account: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)] | None,
        Meta(title="Account", description="That calls; null: the default one."),
    ] = None
    clip: Annotated[
        Annotated[str, Meta(min_length=1, max_length=45)] | None,
        Meta(title="Clip", description="That is heard once the call is answered; null: none."),
    ] = None

    def dial(self, *, hang_up: bool) -> Command:
        """The order. hang_up: the call ends after the clip."""
        if self.clip is None:
            return commands.Dial(uri=self.uri, account=self.account)
        return commands.CallAndTell(
            uri=self.uri, account=self.account, clip=self.clip, hang_up=hang_up
        )


class Call(Calling, tag="dial", frozen=True, kw_only=True):
    """Call somebody; with a clip the call ends after it, if that is wanted (ACT-01, make call)."""

    words = "Make a call"
    hang_up: Annotated[
        bool, Meta(title="Hang up", description="After the clip; without one, others hang up.")
    ] = True

    def command(self, items: Mapping[str, str]) -> Command:
        return self.dial(hang_up=self.hang_up)


class CallWhile(Calling, tag="dial_while", frozen=True, kw_only=True):
    """Call somebody; the call ends with the rule, if not before."""

    words = "Make a call while the rule is active"
    lasting = True

    def command(self, items: Mapping[str, str]) -> Command:
        return self.dial(hang_up=False)

    def undo(self, result: object) -> Command:
        return commands.HangUp(call=cast("str", result), tolerant=True)


class SendDigits(RuleAction, tag="send_digits", frozen=True, kw_only=True):
    """Send DTMF in the call that fired the rule or that a condition holds of, else in all."""

    words = "Send digits"
    digits: Annotated[
        str,
        Meta(
            pattern=rf"^[0-9A-D*#,]{{1,{MAX_DIGITS}}}$(?!\n)",
            title="Digits",
            description=f"1 to {MAX_DIGITS} of 0–9, A–D, * and #; a comma is a pause.",
        ),
    ]

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.SendDigits(call=items.get("call"), digits=self.digits)
