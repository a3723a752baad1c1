"""Who is heard with whom: one table of kinds, and from it the gain of each sound.

The larger rank is the higher one. Among equal ranks the kind decides, by PRECEDENCE. What is of
the same kind and rank is heard together, whatever the table says of its kind.
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import product
from typing import Final, TypeAlias

from sipstrobe.audio.format import gain_from_db
from sipstrobe.audio.settings import MixRule
from sipstrobe.audio.source import SourceKind

_CALL, _PAGE, _SIREN, _CLIP, _TONE = SourceKind
_KIND_ORDER: Final = (_TONE, _PAGE, _CALL, _SIREN, _CLIP)

# Measured, spoken to many, spoken to one, warned with, played.
PRECEDENCE: Final = {kind: place for place, kind in enumerate(_KIND_ORDER)}

Table: TypeAlias = Mapping[tuple[SourceKind, SourceKind], MixRule]  # by (over, under)
Group: TypeAlias = tuple[int, SourceKind]  # rank and kind: all such sources have the same gain


def _mix(over: SourceKind, *unders: SourceKind) -> list[MixRule]:
    return [MixRule(over=over.value, under=under.value, does="mix") for under in unders]


def _duck(over: SourceKind, under: SourceKind, duck_db: float) -> MixRule:
    return MixRule(over=over.value, under=under.value, does="duck", duck_db=duck_db)


def _alone(over: SourceKind, *unders: SourceKind) -> list[MixRule]:
    return [MixRule(over=over.value, under=under.value, does="alone") for under in unders]


DEFAULT: Final[tuple[MixRule, ...]] = (
    # Nothing may sound into a measurement.
    *_alone(_TONE, *_KIND_ORDER),
    # A page must be understood. A siren stays recognisable; what is played may be speech as well,
    # and above 15 dB of distance nothing more is gained (speech transmission index, IEC 60268-16).
    *_mix(_PAGE, _PAGE),
    _duck(_PAGE, _CALL, -12.0),
    _duck(_PAGE, _SIREN, -12.0),
    _duck(_PAGE, _CLIP, -20.0),
    # So must a caller. Which of several callers is heard is for the settings of the phone to say.
    *_mix(_CALL, _PAGE, _CALL),
    _duck(_CALL, _SIREN, -12.0),
    _duck(_CALL, _CLIP, -20.0),
    # A warning that ranks above speech is not made softer for it, nor the speech taken away.
    *_mix(_SIREN, _PAGE, _CALL, _SIREN),
    *_alone(_SIREN, _CLIP),
    # A clip may say what the siren means. Of two that talk at once neither is understood.
    _duck(_CLIP, _PAGE, -12.0),
    _duck(_CLIP, _CALL, -12.0),
    _duck(_CLIP, _SIREN, -12.0),
    *_alone(_CLIP, _CLIP),
    *(rule for kind in _KIND_ORDER[1:] for rule in _alone(kind, _TONE)),
)


def table(own: Iterable[MixRule] = ()) -> Table:
    """The device's table, with what its owner has set instead; it has every pair of kinds."""
    return {(SourceKind(r.over), SourceKind(r.under)): r for r in (*DEFAULT, *own)}


def gains(rules: Table, sounding: Mapping[Group, bool]) -> dict[Group, float]:
    """The gain of each group that wants to be heard, 0…1.

    sounding says of each whether there is something to be heard of it just now: a line on which
    nobody speaks makes nothing softer. (It keeps others silent nevertheless, if it is to be alone.)
    What is silenced itself has no effect on what is below it. Of several effects the strongest
    counts; they do not add up.
    """
    found: dict[Group, float] = {}
    above: dict[SourceKind, bool] = {}
    for group in sorted(sounding, key=lambda g: (-g[0], PRECEDENCE[g[1]])):
        kind = group[1]
        found[group] = min((_gain(rules[k, kind], s) for k, s in above.items()), default=1.0)
        if found[group]:
            above[kind] = above.get(kind, False) or sounding[group]
    return found


def ducks(rules: Table, groups: Collection[Group]) -> bool:
    """Whether it matters for the gains of these groups who can be heard just now."""
    present = {kind for _, kind in groups}
    pairs = product(present, present)
    return len(groups) > 1 and any(rules[pair].does == "duck" for pair in pairs)


def _gain(rule: MixRule, sounding: bool) -> float:
    if rule.does == "alone":
        return 0.0
    return gain_from_db(rule.duck_db) if rule.does == "duck" and sounding else 1.0
