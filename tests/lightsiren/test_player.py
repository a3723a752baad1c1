"""The frames of an operation come at their own instants, counted from its start."""

from sipstrobe.events import Function
from sipstrobe.lightsiren.frame import DARKNESS
from sipstrobe.lightsiren.operations import Activity, Operation
from sipstrobe.lightsiren.player import Lit, Player


def operation(pattern: str, *, started: float, speed: int = 2) -> Operation:
    activity = Activity(pattern=pattern, priority=3, intensity=5, speed=speed, colors=("red",))
    return Operation(Function.SIGNALING_LED, 1, activity, started, None)


def timeline(player: Player, *, until: float) -> list[tuple[float, str]]:
    """(seconds, "lit" or "dark") of all that is shown, waking the player exactly on time."""
    found: list[tuple[float, str]] = []
    while (at := player.deadline) is not None and at <= until:
        player.wake(now=at)
        found += drain(player, at)
    return found


def drain(player: Player, at: float) -> list[tuple[float, str]]:
    found = [(at, "dark" if lit.frame == DARKNESS else "lit") for lit in player.outbox]
    player.outbox.clear()
    return found


def test_the_first_frame_comes_at_once_and_the_others_on_time() -> None:
    player = Player()

    player.play(operation("Blink", started=10.0), now=10.0)

    assert drain(player, 10.0) == [(10.0, "lit")]
    assert timeline(player, until=12.0) == [
        (10.5, "dark"),
        (11.0, "lit"),
        (11.5, "dark"),
        (12.0, "lit"),
    ]


def test_what_was_hidden_goes_on_in_its_own_phase() -> None:
    """A blink that began at 10 s is dark at 16.7 s, whatever was shown meanwhile."""
    player = Player()

    player.play(operation("Blink", started=10.0), now=16.7)

    assert drain(player, 16.7) == [(16.7, "dark")]
    assert timeline(player, until=17.5) == [(17.0, "lit"), (17.5, "dark")]


def test_late_wakes_do_not_add_up() -> None:
    """Every instant is counted from the start: 7 ms late each time is 7 ms late at the end."""
    player = Player()
    player.play(operation("Blink", started=0.0, speed=4), now=0.0)

    seen: list[float] = []
    while (at := player.deadline) is not None and at < 60:
        player.wake(now=at + 0.007)
        seen.append(at)

    assert seen[-1] == 59.8
    assert len(seen) == 299


def test_missed_frames_are_left_out() -> None:
    player = Player()
    player.play(operation("Blink", started=0.0), now=0.0)
    drain(player, 0.0)

    player.wake(now=3.2)

    assert drain(player, 3.2) == [(3.2, "lit")]
    assert player.deadline == 3.5


def test_a_wake_before_its_time_changes_nothing() -> None:
    player = Player()
    player.play(operation("Blink", started=0.0), now=0.0)
    drain(player, 0.0)

    player.wake(now=0.4)

    assert not player.outbox
    assert player.deadline == 0.5


def test_nothing_to_show_is_dark_without_a_timer() -> None:
    player = Player()
    player.play(operation("Blink", started=0.0), now=0.0)
    player.outbox.clear()

    player.play(None, now=0.2)
    player.wake(now=9.0)

    assert list(player.outbox) == [Lit(DARKNESS, None)]
    assert player.deadline is None


def test_a_light_that_stands_still_needs_no_timer() -> None:
    player = Player()

    player.play(operation("Steady", started=0.0, speed=1), now=0.0)

    assert player.deadline is None
