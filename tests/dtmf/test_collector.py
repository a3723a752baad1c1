"""Digits become sequences: DTM-01, GAP-26, and the rules about prefixes."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.dtmf.collector import RELEASE_LIMIT, Collector, Fired
from sipstrobe.dtmf.presses import Step
from sipstrobe.dtmf.settings import DigitSequence, DtmfSettings

TIMEOUT, LONG = 2.0, 1.0


@dataclass
class Pad:
    """A key pad with these sequences; an underscore after one: its last digit is held."""

    sequences: tuple[str, ...]
    now: float = 0.0
    fired: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])

    def __post_init__(self) -> None:
        wanted = (
            DigitSequence(sequence=s.rstrip("_"), name=f"event {s}", held=s.endswith("_"))
            for s in self.sequences
        )
        settings = DtmfSettings(digit_timeout=TIMEOUT, long_press=LONG)
        self.collector = Collector(wanted, settings)

    def press(self, digits: str, *, every: float = 0.3) -> None:
        """Press and let go; an underscore after a digit: hold it."""
        for n, digit in enumerate(digits):
            if digit != "_":
                self.step(digit, Step.PRESSED)
                held = digits[n + 1 : n + 2] == "_"
                if held:
                    self.wait(LONG)
                    self.step(digit, Step.HELD)
                self.wait(0.1)
                self.step(digit, Step.RELEASED)
                self.wait(every - 0.1)

    def step(self, digit: str, step: Step) -> None:
        self.collector.press(digit, step, now=self.now)
        self._note()

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while (due := self.collector.deadline) is not None and due <= until:
            self.now = due
            self.collector.wake(now=due)
            self._note()
        self.now = until

    def _note(self) -> None:
        for fired in self.collector.outbox:
            assert isinstance(fired, Fired)
            mark = "_" if fired.sequence.held else ""
            self.fired.append((round(self.now, 3), fired.sequence.sequence + mark))
        self.collector.outbox.clear()

    @property
    def heard(self) -> list[str]:
        return [sequence for _, sequence in self.fired]


def test_a_sequence_fires_with_its_last_digit_and_once() -> None:
    pad = Pad(("12*#",))

    pad.press("12*#")
    pad.wait(10.0)

    assert pad.fired == [(0.9, "12*#")]


def test_one_that_a_longer_one_begins_with_waits_for_the_next_digit() -> None:
    pad = Pad(("1", "12"))

    pad.press("1")
    assert pad.fired == []
    pad.wait(10.0)

    assert pad.fired == [(0.1 + TIMEOUT, "1")]  # from when it was let go


def test_the_longest_is_taken() -> None:
    pad = Pad(("1", "12", "123"))

    pad.press("123")

    assert pad.fired == [(0.6, "123")]


def test_it_fires_as_soon_as_no_longer_one_can_match() -> None:
    pad = Pad(("1", "123"))

    pad.press("12")
    assert pad.fired == []
    pad.press("4")

    assert pad.fired == [(0.6, "1")]


def test_after_firing_the_next_digit_begins_afresh() -> None:
    """No digit counts for two sequences."""
    pad = Pad(("11", "112"))

    pad.press("111")
    pad.wait(10.0)

    assert pad.heard == ["11"]


def test_after_a_wrong_digit_whatever_can_still_match_goes_on() -> None:
    pad = Pad(("1123",))

    pad.press("11123")

    assert pad.heard == ["1123"]


def test_what_lies_within_a_sequence_that_was_not_completed_counts() -> None:
    pad = Pad(("1234", "23"))

    pad.press("1235")

    assert pad.heard == ["23"]


def test_too_long_a_pause_ends_a_sequence() -> None:
    pad = Pad(("123",))

    pad.press("12")
    pad.wait(TIMEOUT)
    pad.press("3")
    pad.press("123", every=TIMEOUT)

    assert pad.heard == ["123"]


def test_digits_that_belong_to_nothing_are_not_kept() -> None:
    pad = Pad(("123",))

    pad.press("9870")

    assert (pad.heard, pad.collector.deadline) == ([], None)


def test_sixty_four_digits_are_one_sequence() -> None:
    digits = "0123456789ABCD*#" * 4
    pad = Pad((digits,))

    pad.press("0123" + digits)

    assert pad.heard == [digits]


# --- long press ---------------------------------------------------------------------------------


def test_a_long_press_fires_when_the_key_has_been_held_long_enough() -> None:
    pad = Pad(("1_",))

    pad.press("1")
    pad.press("1_")

    assert pad.fired == [(0.3 + LONG, "1_")]


def test_the_same_digits_for_a_short_and_a_long_press() -> None:
    pad = Pad(("1", "1_"))

    pad.press("1")
    pad.press("1_")

    assert pad.fired == [(0.1, "1"), (0.3 + LONG, "1_")]


def test_only_the_last_digit_need_be_held() -> None:
    pad = Pad(("12_",))

    pad.press("1_2")
    assert pad.heard == []
    pad.press("1_2_")
    pad.press("12_")

    assert pad.heard == ["12_", "12_"]


def test_a_sequence_that_knows_nothing_of_long_presses_does_not_wait_for_one() -> None:
    pad = Pad(("12",))

    pad.step("1", Step.PRESSED)
    pad.wait(0.5)
    pad.step("2", Step.PRESSED)

    assert pad.fired == [(0.5, "12")]


def test_a_key_whose_letting_go_was_not_told_was_a_short_press() -> None:
    pad = Pad(("1", "1_"))

    pad.step("1", Step.PRESSED)
    pad.wait(10.0)

    assert pad.fired == [(max(TIMEOUT, LONG + RELEASE_LIMIT), "1")]


def test_the_next_digit_shows_that_the_last_was_let_go() -> None:
    pad = Pad(("1", "1_", "2"))

    pad.step("1", Step.PRESSED)
    pad.step("2", Step.PRESSED)

    assert pad.heard == ["1", "2"]


# --- all of it ----------------------------------------------------------------------------------

SHORT = st.text("12", min_size=1, max_size=4)


def read(digits: str, sequences: set[str]) -> list[str]:
    """The rule, on all digits at once: from the left, the longest; else one digit is skipped."""
    found: list[str] = []
    while digits:
        longest = max((s for s in sequences if digits.startswith(s)), key=len, default="")
        if longest:
            found.append(longest)
        digits = digits[len(longest) or 1 :]
    return found


@settings(deadline=None)
@given(st.sets(SHORT, min_size=1, max_size=6), st.text("123", max_size=12))
def test_what_is_pressed_without_a_pause_is_read_as_if_it_were_known_at_once(
    sequences: set[str], digits: str
) -> None:
    pad = Pad(tuple(sequences))

    pad.press(digits)
    pad.wait(10.0)

    assert pad.heard == read(digits, sequences)


@settings(deadline=None)
@given(st.sets(SHORT, min_size=1, max_size=6), st.lists(st.text("123", max_size=4), max_size=4))
def test_what_pauses_separate_is_read_piece_by_piece(
    sequences: set[str], pieces: list[str]
) -> None:
    pad = Pad(tuple(sequences))

    for piece in pieces:
        pad.press(piece)
        pad.wait(TIMEOUT)

    assert pad.heard == [found for piece in pieces for found in read(piece, sequences)]
