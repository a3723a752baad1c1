"""What the policy plays at full volume: a page that silences a call or the siren."""

import pytest

from sipstrobe.audio.format import gain_from_db
from sipstrobe.audio.policy import Group, among_places, at_full_volume, gains, table
from sipstrobe.audio.settings import AudioSettings, Emergency, MixRule, Volumes
from sipstrobe.audio.source import SourceKind
from sipstrobe.audio.volume import volume

CALL, PAGE, SIREN, CLIP, TONE = SourceKind
RULES = (
    MixRule(over="page", under="siren", does="full"),
    MixRule(over="page", under="call", does="full"),
)


def loud(*present: Group, own: tuple[MixRule, ...] = RULES) -> set[Group]:
    return at_full_volume(table(own), present)


def test_what_silences_another_at_full_volume_does_so_only_while_that_is_there() -> None:
    page, siren = Group(5, PAGE), Group(3, SIREN)

    assert loud(page) == set()
    assert loud(page, siren) == {page}
    assert loud(page, Group(9, CLIP)) == set()
    assert loud(page, Group(3, CLIP)) == set()  # of which the owner has not said so
    assert loud(Group(9, CLIP), siren) == set()
    assert gains(table(RULES), {page: True, siren: True}) == {page: 1.0, siren: 0.0}


def test_a_page_silences_others_of_its_kind_and_not_itself() -> None:
    page, other = Group(5, PAGE), Group(3, PAGE)
    own = (MixRule(over="page", under="page", does="full"),)

    assert loud(page, own=own) == set()
    assert loud(page, other, own=own) == {page}


def test_the_lower_one_is_not_played_at_full_volume_over_the_higher() -> None:
    page, siren = Group(5, PAGE), Group(9, SIREN)

    assert loud(page, siren) == set()
    assert gains(table(RULES), {page: True, siren: True}) == {page: 1.0, siren: 1.0}


@pytest.mark.parametrize(("place", "expected"), [(1, True), (3, False)])
def test_where_a_list_decides_its_order_counts(place: int, expected: bool) -> None:
    """MCC-08; whatever the priorities of calls are."""
    page, call = Group(5, PAGE, place), Group(9 if expected else 1, CALL, 2)

    assert (page in loud(page, call)) is expected
    heard = gains(table(RULES), {page: True, call: True}, among_places(RULES))
    assert heard == {page: float(expected), call: float(not expected)}


def test_nothing_is_so_loud_unless_the_owner_says_so() -> None:
    assert loud(Group(5, PAGE, 1), Group(5, CALL, 2), Group(3, SIREN), own=()) == set()


def test_full_volume_is_that_of_emergencies_also_on_a_muted_device() -> None:
    audio = AudioSettings(volumes=Volumes(page=-30.0), emergency=Emergency(volume_db=-3.0))
    page = Group(5, PAGE)

    assert volume(page, audio, -10.0, muted=False) == pytest.approx(gain_from_db(-40.0))
    for muted in (False, True):
        found = volume(page, audio, -10.0, muted=muted, full=True)
        assert found == pytest.approx(gain_from_db(-3.0))
