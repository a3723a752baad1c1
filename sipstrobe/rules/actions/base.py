"""What all actions of rules have in common."""

from collections.abc import Mapping
from typing import ClassVar

from msgspec import Struct

from sipstrobe.commands import Command

RULE_NAME = "rule.name"  # among the items: of the rule that acts; no event has such an item


class RuleAction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    """Base of all actions."""

    words: ClassVar[str]
    lasting: ClassVar[bool] = False  # True: undone when the rule ends
    replaces: ClassVar[bool] = False  # True: the same order once more replaces the first (MIX-02)

    @property
    def for_each(self) -> str:
        """The item of which all are meant that a condition holds of, where the event that fired
        the rule has none; empty: only the oldest is."""
        return ""

    def command(self, items: Mapping[str, str]) -> Command:
        """The order to give. items: of the event that fired the rule, and what its conditions
        hold of."""
        raise NotImplementedError

    def undo(self, result: object) -> Command:
        """The order that ends what `result`, the answer to the command, tells of; if lasting."""
        raise NotImplementedError
