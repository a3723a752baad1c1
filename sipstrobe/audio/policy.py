"""Who is heard with whom: one table of kinds, and from it the gain of each sound.

The larger rank is the higher one. Among equal ranks the kind decides, by PRECEDENCE. What is of
the same kind and rank is heard together, whatever the table says of its kind.

Where pages come by multicast, a list of places decides between them, calls and clips instead, and
rank only between these and everything else (MCC-08).
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import product
from typing import Final, NamedTuple, TypeAlias

from sipstrobe.audio.format import gain_from_db
from sipstrobe.audio.settings import MixRule
from sipstrobe.audio.source import SourceKind

_CALL, _PAGE, _SIREN, _CLIP, _TONE = SourceKind
_KIND_ORDER: Final = (_TONE, _PAGE, _CALL, _SIREN, _CLIP)

# Measured, spoken to many, spoken to one, warned with, played.
PRECEDENCE: Final = {kind: place for place, kind in enumerate(_KIND_ORDER)}

Table: TypeAlias = Mapping[tuple[SourceKind, SourceKind], MixRule]  # by (over, under)


class Group(NamedTuple):
    """All such sources have the same gain. place: in the list, 1 is the first; None: not in it."""

    rank: int
    kind: SourceKind
    place: int | None = None


class Places(NamedTuple):
    """Those of all calls, with what callers leave to be played later, of all clips, and of audio
    streams."""

    calls: int
    clips: int
    streams: int = 0  # before all others

    def of(self, kind: SourceKind, *, streamed: bool = False) -> int | None:
        """The place of a sound that has none of its own."""
        if streamed:
            return self.streams
        if kind is SourceKind.CLIP:
            return self.clips
        return self.calls if kind in (SourceKind.CALL, SourceKind.PAGE) else None


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


def among_places(own: Iterable[MixRule] = ()) -> Table:
    """What a sound does to one that comes after it in the list: it silences it, unless the owner
    of the device has said of their kinds what happens."""
    alone = {(over, under): _alone(over, under)[0] for over, under in product(SourceKind, repeat=2)}
    return alone | {(SourceKind(r.over), SourceKind(r.under)): r for r in own}


def gains(
    rules: Table, sounding: Mapping[Group, bool], by_place: Table | None = None
) -> dict[Group, float]:
    """The gain of each group that wants to be heard, 0…1. by_place: of `among_places`.

    sounding says of each whether there is something to be heard of it just now: a line on which
    nobody speaks makes nothing softer. (It keeps others silent nevertheless, if it is to be alone.)
    What is silenced itself has no effect on what is below it. Of several effects the strongest
    counts; they do not add up.
    """
    found: dict[Group, float] = {}
    placed = _by_place(by_place, sounding) if by_place is not None else {}
    above: list[Group] = []
    for group in sorted(sounding, key=_height):
        gain = placed.get(group, 1.0)
        for over in above:
            if not _ordered(over, group):
                gain = min(gain, _gain(rules[over.kind, group.kind], sounding[over]))
        found[group] = gain
        if gain:
            above.append(group)
    return found


def _by_place(rules: Table, sounding: Mapping[Group, bool]) -> dict[Group, float]:
    """What the list alone makes of those that are in it."""
    found: dict[Group, float] = {}
    heard: list[Group] = []
    in_list = [group for group in sounding if group.place is not None]
    for group in sorted(in_list, key=lambda g: g.place or 0):
        gain = 1.0
        for over in heard:
            if over.place != group.place:
                gain = min(gain, _gain(rules[over.kind, group.kind], sounding[over]))
        found[group] = gain
        if gain:
            heard.append(group)
    return found


def _ordered(one: Group, other: Group) -> bool:
    """Whether the list decides between them."""
    return None not in (one.place, other.place) and one.place != other.place


def at_full_volume(rules: Table, present: Collection[Group]) -> set[Group]:
    """Those of the groups that are as loud as emergencies, because of one that they silence."""
    found: set[Group] = set()
    for (over, under), rule in rules.items():
        if rule.does == "full":
            unders = [group for group in present if group.kind is under]
            unders.sort(key=lambda g: (g.place or 0, *_height(g)), reverse=True)  # soon found
            found |= {g for g in present if g.kind is over and _is_above_one(g, unders)}
    return found


def _is_above_one(group: Group, others: Collection[Group]) -> bool:
    return any(
        (group.place or 0) < (other.place or 0)
        if _ordered(group, other)
        else _height(group) < _height(other)
        for other in others
    )


def ducks(rules: Table, groups: Collection[Group]) -> bool:
    """Whether it matters for the gains of these groups who can be heard just now."""
    present = {group.kind for group in groups}
    pairs = product(present, present)
    return len(groups) > 1 and any(rules[pair].does == "duck" for pair in pairs)


def _height(group: Group) -> tuple[int, int]:
    """The least is the highest, where no list decides."""
    return -group.rank, PRECEDENCE[group.kind]


def _gain(rule: MixRule, sounding: bool) -> float:
    if rule.does in ("alone", "full"):
        return 0.0
    return gain_from_db(rule.duck_db) if rule.does == "duck" and sounding else 1.0
