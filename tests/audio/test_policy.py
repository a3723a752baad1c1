"""Who is heard with whom in the speaker."""

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.audio.policy import (
    DEFAULT,
    PRECEDENCE,
    Group,
    Places,
    among_places,
    ducks,
    gains,
    table,
)
from sipstrobe.audio.settings import MixRule
from sipstrobe.audio.source import SourceKind

CALL, PAGE, SIREN, CLIP, TONE = SourceKind
DOCS = Path(__file__).parents[2] / "docs"
SOFT, SOFTER = 10 ** (-12 / 20), 10 ** (-20 / 20)


def heard(
    *groups: tuple[int, SourceKind],
    silent: tuple[tuple[int, SourceKind], ...] = (),
    own: tuple[MixRule, ...] = (),
) -> list[float]:
    """The gains in the order given; all can be heard, and the silent ones are there as well."""
    present = {Group(*group): True for group in groups} | {Group(*group): False for group in silent}
    found = gains(table(own), present, among_places(own))
    return [found[Group(*group)] for group in groups]


def in_list(*groups: Group, own: tuple[MixRule, ...] = ()) -> list[float]:
    """The same where a list decides between pages, calls and clips."""
    found = gains(table(own), dict.fromkeys(groups, True), among_places(own))
    return [found[group] for group in groups]


def test_the_table_knows_every_pair_of_kinds_once() -> None:
    pairs = [(rule.over, rule.under) for rule in DEFAULT]

    assert sorted(pairs) == sorted(product([kind.value for kind in SourceKind], repeat=2))
    assert set(table()) == set(product(SourceKind, repeat=2))


def test_what_is_heard_is_what_the_manual_says() -> None:
    """Of a louder one above a softer one: the table of docs/speaker.md, cell by cell."""
    told = {"mix": 1.0, "alone": 0.0, "−12 dB": SOFT, "−20 dB": SOFTER}
    lines = (DOCS / "speaker.md").read_text(encoding="utf-8").splitlines()
    head = next(n for n, line in enumerate(lines) if line.startswith("| higher"))
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[head : head + 6]]
    unders = cells[0][1:]

    found = {
        (row[0], under): told[does]
        for row in cells[2:]
        for under, does in zip(unders, row[1:], strict=True)
    }

    assert len(found) == 16
    for (over, under), gain in found.items():
        assert heard((7, SourceKind(over)), (5, SourceKind(under))) == [1.0, pytest.approx(gain)]


def test_what_is_heard_by_itself_is_heard_as_it_is() -> None:
    for kind in SourceKind:
        assert heard((5, kind)) == [1.0]
    assert gains(table(), {}) == {}


@pytest.mark.parametrize("speech", [CALL, PAGE])
def test_speech_makes_a_siren_of_lower_rank_softer_by_12_db_and_a_clip_by_20(
    speech: SourceKind,
) -> None:
    assert heard((5, speech), (3, SIREN)) == [1.0, pytest.approx(SOFT)]
    assert heard((5, speech), (3, CLIP)) == [1.0, pytest.approx(SOFTER)]


@pytest.mark.parametrize("speech", [CALL, PAGE])
def test_a_siren_of_higher_rank_is_not_softened_and_takes_no_speech_away(
    speech: SourceKind,
) -> None:
    assert heard((5, speech), (9, SIREN)) == [1.0, 1.0]


def test_among_equal_ranks_speech_comes_before_the_siren_and_the_siren_before_clips() -> None:
    assert heard((5, SIREN), (5, CALL)) == [pytest.approx(SOFT), 1.0]
    assert heard((5, CLIP), (5, SIREN)) == [0.0, 1.0]


def test_an_open_line_on_which_nobody_speaks_softens_nothing() -> None:
    assert heard((3, SIREN), silent=((5, CALL),)) == [1.0]


def test_a_test_tone_is_heard_alone() -> None:
    others = [(9, kind) for kind in SourceKind if kind is not TONE]

    assert heard((13, TONE), *others) == [1.0, 0.0, 0.0, 0.0, 0.0]


def test_what_is_to_be_alone_is_so_in_its_pauses_as_well() -> None:
    assert heard((3, CALL), silent=((13, TONE),)) == [0.0]


def test_two_clips_talk_one_after_the_other_unless_they_rank_alike() -> None:
    assert heard((5, CLIP), (4, CLIP)) == [1.0, 0.0]
    assert heard((5, CLIP)) == [1.0]  # one group, however many they are


def test_who_is_silenced_has_no_effect_on_those_below() -> None:
    """The siren silences the clip above the call, which would have made the call softer."""
    assert heard((9, SIREN), (7, CLIP), (5, CALL)) == [1.0, 0.0, 1.0]


def test_several_effects_do_not_add_up_the_strongest_counts() -> None:
    softened = heard((9, PAGE), (8, CALL), (3, SIREN))

    assert softened == pytest.approx([1.0, SOFT, SOFT])
    assert heard((9, CALL), (8, SIREN), (3, CLIP)) == [1.0, pytest.approx(SOFT), 0.0]


def test_the_owner_may_have_it_otherwise() -> None:
    louder = MixRule(over="call", under="siren", does="duck", duck_db=-30.0)
    alone = MixRule(over="siren", under="call", does="alone")

    assert heard((5, CALL), (3, SIREN), own=(louder,))[1] == pytest.approx(10 ** (-30 / 20))
    assert heard((5, CALL), (9, SIREN), own=(alone,)) == [0.0, 1.0]


def test_only_where_a_pair_ducks_it_matters_who_is_speaking() -> None:
    mixed = tuple(MixRule(over=r.over, under=r.under, does="mix") for r in DEFAULT)

    assert ducks(table(), [Group(5, CALL), Group(3, SIREN)])
    assert not ducks(table(), [Group(5, CALL), Group(4, CALL)])
    assert not ducks(table(mixed), [Group(5, CALL), Group(3, SIREN)])
    assert not ducks(table(), [Group(5, CLIP)])


def test_the_first_in_the_list_is_heard_and_the_others_are_silent() -> None:
    """MCC-08: whatever the priorities of calls and clips are."""
    fire, music = Group(5, PAGE, 1), Group(5, PAGE, 4)
    call, clip = Group(9, CALL, 2), Group(10, CLIP, 3)

    assert in_list(clip, fire, music, call) == [0.0, 1.0, 0.0, 0.0]
    assert in_list(clip, music, call) == [0.0, 0.0, 1.0]
    assert in_list(clip, music) == [1.0, 0.0]
    assert in_list(music) == [1.0]


def test_what_is_not_in_the_list_goes_by_priority_with_what_is_heard_of_it() -> None:
    first, second = Group(5, PAGE, 1), Group(5, CALL, 2)

    assert in_list(first, second, Group(3, SIREN)) == [1.0, 0.0, pytest.approx(SOFT)]
    assert in_list(first, second, Group(9, SIREN)) == [1.0, 0.0, 1.0]
    assert in_list(first, second, Group(13, TONE)) == [0.0, 0.0, 1.0]


def test_calls_are_mixed_and_soften_each_other_as_ever_since_they_share_a_place() -> None:
    assert in_list(Group(5, CALL, 1), Group(7, CALL, 1)) == [1.0, 1.0]
    assert in_list(Group(5, CALL, 1), Group(5, PAGE, 1)) == [pytest.approx(SOFT), 1.0]


def test_who_is_silenced_in_the_list_silences_nobody_below() -> None:
    """A call is mixed with pages, as its owner says; the clip between the two is not heard."""
    mix = MixRule(over="call", under="page", does="mix")

    found = in_list(Group(5, CALL, 1), Group(5, CLIP, 2), Group(5, PAGE, 3), own=(mix,))

    assert found == [1.0, 0.0, 1.0]


def test_the_owner_says_what_else_a_page_does_to_a_call_before_which_it_comes() -> None:
    duck = MixRule(over="page", under="call", does="duck", duck_db=-12.0)
    mix = MixRule(over="call", under="page", does="mix")

    assert in_list(Group(5, PAGE, 1), Group(5, CALL, 2), own=(duck,)) == [1.0, pytest.approx(SOFT)]
    assert in_list(Group(5, PAGE, 2), Group(5, CALL, 1), own=(mix,)) == [1.0, 1.0]
    assert in_list(Group(5, PAGE, 2), Group(5, CALL, 1), own=(duck,)) == [0.0, 1.0]


def test_a_sound_without_a_place_of_its_own_has_that_of_its_kind() -> None:
    places = Places(calls=2, clips=1, streams=3)

    assert [places.of(kind) for kind in (CALL, PAGE, CLIP, SIREN, TONE)] == [2, 2, 1, None, None]
    assert places.of(PAGE, streamed=True) == 3


_RULE = st.builds(
    MixRule,
    over=st.sampled_from([kind.value for kind in SourceKind]),
    under=st.sampled_from([kind.value for kind in SourceKind]),
    does=st.sampled_from(["alone", "duck", "mix"]),
    duck_db=st.floats(-40.0, -1.0),
)
_GROUPS = st.dictionaries(
    st.builds(Group, st.integers(1, 13), st.sampled_from(list(SourceKind))),
    st.booleans(),
    max_size=12,
)


@given(st.lists(_RULE, max_size=25), _GROUPS)
@settings(max_examples=150, deadline=None)
def test_whatever_the_table_says_no_sound_is_changed_by_those_below_it(
    own: list[MixRule], sounding: dict[Group, bool]
) -> None:
    rules = table(own)
    found = gains(rules, sounding)
    order = sorted(sounding, key=lambda group: (-group.rank, PRECEDENCE[group.kind]))

    assert set(found) == set(sounding)
    assert all(0.0 <= gain <= 1.0 for gain in found.values())
    for count in range(len(order) + 1):
        highest = order[:count]
        assert gains(rules, {g: sounding[g] for g in highest}) == {g: found[g] for g in highest}
    if order:
        assert found[order[0]] == 1.0
