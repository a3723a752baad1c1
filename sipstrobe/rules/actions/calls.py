"""Actions on calls."""

from collections.abc import Mapping
from typing import Annotated

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
    """End the call that fired the rule, else all calls."""

    words = "Hang up"

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.HangUp(call=items.get("call"))


class SendDigits(RuleAction, tag="send_digits", frozen=True, kw_only=True):
    """Send DTMF in the call that fired the rule, else in all that are active."""

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
