"""Which conditions cannot hold at the same time, whatever happens: for checks before saving.

Only what is certain counts. Two calls can be in different states, so that "a call rings" and "a
call is active" do not exclude each other; two states of the same source do.
"""

from collections.abc import Mapping

from sipstrobe.events import DECLARED, Kind
from sipstrobe.rules.match import is_address
from sipstrobe.rules.settings import Condition


def exclude(one: Condition, other: Condition) -> bool:
    """Can these two conditions never hold together?"""
    if one.event != other.event or DECLARED[one.event].outside.kind is not Kind.PROPERTY:
        return False
    if one.invert and other.invert:
        return False
    if one.invert:
        return _implies(other, one.match)
    if other.invert:
        return _implies(one, other.match)
    if _differ(one.match, other.match):
        return _same_source(one, other) or _rests(one, other) or _rests(other, one)
    return False


def alternatives(one: Condition, other: Condition) -> bool:
    """Are these, as a rule, states of one thing by turns? They can hold together all the same,
    where there are several: a call rings while another is active."""
    if one.event != other.event or one.invert or other.invert:
        return False
    source = DECLARED[one.event].outside.source
    mine = {n: v for n, v in one.match.items() if n in source}
    theirs = {n: v for n, v in other.match.items() if n in source}
    return not _differ(mine, theirs) and _differ(one.match, other.match)


def compatible(match: Mapping[str, str], items: Mapping[str, str]) -> bool:
    """May an event with these items be meant by this match? Items that are not known may be
    anything."""
    return not _differ(match, items)


def can_rest(condition: Condition) -> bool:
    """Does the condition hold, without its inversion, when no source has anything to report?"""
    outside = DECLARED[condition.event].outside
    values = {n: v for n, v in condition.match.items() if n not in outside.source}
    return bool(values) and values.items() <= outside.rest.items()


def _implies(one: Condition, match: Mapping[str, str]) -> bool:
    """Whenever the one holds, is there also something that has these items?"""
    if dict(one.match) == dict(match):
        return True
    return match.items() <= one.match.items() and not can_rest(one)


def _differ(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Is there an item of which they want different values? Addresses match in many ways."""
    return any(other.get(n, v) != v for n, v in one.items() if not is_address(n))


def _same_source(one: Condition, other: Condition) -> bool:
    """Are both about one and the same source?"""
    source = DECLARED[one.event].outside.source
    return all(n in one.match and one.match[n] == other.match.get(n) for n in source)


def _rests(one: Condition, other: Condition) -> bool:
    """Does the one want that nothing is reported, and the other something that would be?"""
    outside = DECLARED[one.event].outside
    about = {n: v for n, v in one.match.items() if n in outside.source}
    values = {n: v for n, v in one.match.items() if n not in outside.source}
    at_rest = bool(values) and values == outside.rest
    return at_rest and not can_rest(other) and about.items() <= other.match.items()
