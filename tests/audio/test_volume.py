"""How loud a sound is by what it is."""

import pytest

from sipstrobe.audio.format import gain_from_db
from sipstrobe.audio.policy import Group
from sipstrobe.audio.settings import AudioSettings, Emergency, Volumes
from sipstrobe.audio.source import SourceKind
from sipstrobe.audio.volume import volume

CALL, PAGE, SIREN, CLIP, TONE = SourceKind
AUDIO = AudioSettings(
    volumes=Volumes(call=-1.0, page=-2.0, siren=-3.0, clip=-4.0),
    emergency=Emergency(priority=9, volume_db=-6.0),
)


@pytest.mark.parametrize(
    ("kind", "expected_db"), [(CALL, -11), (PAGE, -12), (SIREN, -13), (CLIP, -14), (TONE, -10)]
)
def test_each_kind_has_a_volume_below_that_of_all(kind: SourceKind, expected_db: float) -> None:
    gain = volume(Group(5, kind), AUDIO, -10.0, muted=False)

    assert gain == pytest.approx(gain_from_db(expected_db))


def test_what_is_muted_is_silent() -> None:
    assert all(volume(Group(5, kind), AUDIO, 0.0, muted=True) == 0.0 for kind in SourceKind)


@pytest.mark.parametrize("rank", [9, 10])
@pytest.mark.parametrize("muted", [False, True])
def test_an_emergency_is_as_loud_as_emergencies_are(rank: int, muted: bool) -> None:
    for kind in (CALL, PAGE, SIREN, CLIP):
        assert volume(Group(rank, kind), AUDIO, -60.0, muted=muted) == pytest.approx(
            gain_from_db(-6.0)
        )


@pytest.mark.parametrize("rank", [11, 12, 13])
def test_what_the_system_sounds_itself_is_no_emergency(rank: int) -> None:
    """A health check must find that the device is muted."""
    assert volume(Group(rank, TONE), AUDIO, 0.0, muted=True) == 0.0


def test_unless_there_is_a_priority_for_them_nothing_is_an_emergency() -> None:
    assert volume(Group(10, SIREN), AudioSettings(), 0.0, muted=True) == 0.0
