"""The jitter buffer by itself: order, gaps and bounds. How it sounds: tests/services."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.rtp.jitter import (
    LOW,
    MAX_GAP,
    MAX_WAITING,
    RESTING,
    STEP,
    Conceal,
    JitterBuffer,
    Play,
    Shift,
    Splice,
)
from sipstrobe.rtp.quality import Counts

RATE = 8000
FRAME = 160


class Player:
    """Takes what the buffer gives and lets a steady card consume it."""

    def __init__(self) -> None:
        self.buffer = JitterBuffer(RATE)
        self.written = 0.0
        self.played: list[int] = []  # packets, by their payload
        self.concealed = 0

    def push(self, number: int, now: float, *, timestamp: int | None = None) -> bool:
        stamp = number * FRAME if timestamp is None else timestamp
        payload = number.to_bytes(4, "big")
        return self.buffer.push(number, stamp & 0xFFFFFFFF, FRAME, 0, payload, now)

    def take(self, now: float) -> None:
        while step := self.buffer.take(self.written, self.consumed(now), now):
            if isinstance(step, Play):
                self.played.append(int.from_bytes(step.payload, "big"))
                self.written += FRAME / RATE
            else:
                assert isinstance(step, Conceal)
                self.concealed += step.units
                self.written += step.units / RATE

    def consumed(self, now: float) -> float:
        return min(now, self.written)


def test_the_first_packet_waits_as_long_as_the_target_says() -> None:
    player = Player()

    player.push(5, 0.0)
    player.take(0.0)

    assert player.played == [5]
    assert player.written == 0.040  # 20 ms of silence before it
    assert player.buffer.concealed == 0


def test_packets_are_played_in_order() -> None:
    player = Player()
    for number, now in ((1, 0.0), (3, 0.020), (2, 0.022), (4, 0.040)):
        player.push(number, now)
        player.take(now)

    assert player.played == [1, 2, 3, 4]
    assert player.buffer.late == 0


def test_a_missing_packet_is_given_up_when_the_sound_runs_low() -> None:
    player = Player()
    for number, now in ((1, 0.0), (3, 0.020), (4, 0.030)):
        player.push(number, now)
        player.take(now)
    assert player.played == [1]
    low_at = player.buffer.low_at(player.written, player.consumed(0.030), 0.030)

    assert low_at is not None
    assert low_at == 0.040 - LOW
    player.take(low_at)

    assert player.played == [1, 3, 4]
    assert player.concealed == 160 + FRAME  # the lead-in and the gap
    assert not player.push(2, 0.041)
    assert player.buffer.late == 1


def test_a_duplicate_is_of_no_use() -> None:
    player = Player()
    player.push(1, 0.0)
    player.push(3, 0.01)

    assert not player.push(3, 0.011)
    player.take(0.011)
    assert not player.push(1, 0.012)
    assert player.buffer.late == 2


def test_while_nothing_comes_the_sound_goes_on_and_then_rests() -> None:
    player = Player()
    player.push(1, 0.0)
    now = 0.0
    while now < 3.0:
        player.take(now)
        now += 0.005

    assert abs(player.concealed / RATE - RESTING) < 0.1
    assert player.buffer.low_at(player.written, player.consumed(now), now) is None


def test_after_a_pause_the_target_is_met_again() -> None:
    """RFC 3551 §4.1: silence suppression stops the packets, not the timestamps."""
    player = Player()
    player.push(1, 0.0)
    now = 0.0
    while now < 0.5:
        player.take(now)
        now += 0.005

    player.push(2, 0.5, timestamp=FRAME + 4000)
    player.take(0.5)

    assert player.played == [1, 2]
    assert abs(player.written - 0.540) < 0.012


def test_a_jump_of_the_timestamps_alone_makes_no_gap() -> None:
    player = Player()
    player.push(1, 0.0)
    player.take(0.0)
    before = player.concealed

    player.push(2, 0.020, timestamp=0x80000000)
    player.take(0.020)
    player.push(3, 0.040, timestamp=0x80000000 + FRAME)
    player.take(0.040)

    assert player.played == [1, 2, 3]
    assert player.concealed == before


def test_timestamps_wrap_without_a_gap() -> None:
    player = Player()
    for number in range(4):
        player.push(number, number * 0.02, timestamp=0xFFFFFFFF - 200 + number * FRAME)
        player.take(number * 0.02)

    assert player.played == [0, 1, 2, 3]
    assert player.concealed == 160


def test_packets_without_sound_only_take_up_their_numbers() -> None:
    """RFC 4733 §2.5.1: events share the sequence numbers of the audio."""
    player = Player()
    player.push(1, 0.0)
    player.take(0.0)
    for number in (2, 3, 4):
        player.buffer.push(number, 2 * FRAME, 0, 101, b"event", 0.02 * number)
        player.take(0.01 * number)
    player.push(5, 0.045, timestamp=2 * FRAME)
    player.take(0.045)

    assert player.played == [1, 5]


def test_what_waits_is_bounded() -> None:
    player = Player()
    player.push(0, 0.0)
    player.take(0.0)
    for number in range(2, 1000):
        player.push(number, 0.001)

    assert len(player.buffer._waiting) <= MAX_WAITING  # pyright: ignore[reportPrivateUsage]
    assert player.buffer.dropped >= 900


def test_a_card_that_stands_still_is_not_drowned() -> None:
    player = Player()
    for number in range(500):
        now = number * 0.02
        player.push(number, now)
        while step := player.buffer.take(player.written, 0.0, now):
            assert isinstance(step, Play | Conceal)
            player.written += (FRAME if isinstance(step, Play) else step.units) / RATE

    assert player.written < player.buffer.longest + 2 * FRAME / RATE + STEP
    assert player.buffer.dropped > 400
    assert player.buffer.counts.missing < 15  # only until it was clear that it stands still


def test_what_was_missing_at_its_turn_is_counted_lost_or_late() -> None:
    player = Player()
    for number, now in ((1, 0.0), (2, 0.020), (5, 0.080), (3, 0.090), (6, 0.100), (7, 0.120)):
        player.take(now)
        player.push(number, now)
        player.take(now)
    player.push(7, 0.125)  # twice

    assert player.played == [1, 2, 5, 6, 7]
    assert player.buffer.counts == Counts(expected=7, missing=2, runs=1, discarded=1)


def test_what_there_was_no_room_for_was_discarded() -> None:
    player = Player()
    player.push(0, 0.0)
    player.take(0.0)
    for number in range(2, 1000):
        player.push(number, 0.001)
    player.take(0.050)

    counts = player.buffer.counts
    assert counts.discarded >= 900
    assert counts.missing > counts.discarded


def test_far_off_the_target_pitch_periods_are_called_for() -> None:
    player = Player()
    for number in range(8):
        player.push(number, 0.0)  # a burst: 160 ms at once
    player.take(0.0)
    for number in range(8, 60):
        player.push(number, (number - 7) * 0.02)
        player.take((number - 7) * 0.02)

    assert player.buffer.slack > 0.1
    assert player.buffer.speed > 0
    assert player.buffer.urgent
    asked = [player.buffer.splice(2.0 + 0.01 * n) for n in range(10)]
    assert [n for n, splice in enumerate(asked) if splice is Splice.SHORTEN] == [0, 5]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 200), st.integers(0, 2**32 - 1), st.integers(0, 3), st.floats(0, 0.3)
        ),
        max_size=80,
    )
)
@settings(max_examples=150, deadline=None)
def test_no_sequence_of_packets_makes_it_run_away(
    steps: list[tuple[int, int, int, float]],
) -> None:
    """Whatever comes whenever: the loop ends, nothing is played twice, the ring stays bounded."""
    buffer, written, consumed, now = JitterBuffer(RATE), 0.0, 0.0, 0.0
    seen: list[bytes] = []
    for serial, (number, timestamp, frames, wait) in enumerate(steps):
        now += wait
        buffer.push(number, timestamp, frames * 80, 0, serial.to_bytes(4, "big"), now)
        for _ in range(1000):
            consumed = min(written, now)
            step = buffer.take(written, consumed, now)
            if step is None:
                break
            if isinstance(step, Play):
                seen.append(step.payload)
                written += 0.02
            else:
                assert isinstance(step, Conceal)
                written += step.units / RATE
        else:
            raise AssertionError("endless")
        assert written - consumed <= buffer.longest + MAX_GAP + STEP + 0.04
        assert buffer.shortest <= buffer.target <= buffer.longest
    assert len(seen) == len(set(seen))


def placed(offset: float) -> Player:
    """One whose first packet is wanted so much earlier than it would be by itself."""
    player = Player()
    player.buffer.place = lambda timestamp: timestamp / RATE + 0.040 - offset
    return player


def test_with_a_common_clock_the_first_packet_waits_for_its_place() -> None:
    player = placed(-0.060)
    player.push(0, 0.0)

    step = player.buffer.take(0.0, 0.0, 0.0)

    assert step == Shift(0.100)
    player.written = 0.100
    assert isinstance(player.buffer.take(0.100, 0.0, 0.0), Play)
    assert player.buffer.offset == 0.0


def test_what_is_off_its_place_is_led_there_by_no_more_than_five_cents() -> None:
    for offset in (-0.005, -0.0005, 0.0005, 0.005):
        player = placed(0.0)
        player.push(0, 0.0)
        player.buffer.take(0.0, 0.0, 0.0)
        player.buffer.take(0.040 + offset, 0.0, 0.0)

        assert player.buffer.offset is not None
        assert abs(player.buffer.offset - offset) < 1e-9
        speed = player.buffer.speed
        assert 0.0 < abs(speed) <= 0.003
        assert (speed > 0.0) is (offset > 0.0)
        assert not player.buffer.urgent


def test_no_place_is_worth_sound_that_is_missing() -> None:
    """It is 30 ms late; to be heard earlier, it would have to be there earlier."""
    player = placed(0.0)
    player.push(0, 0.0)
    player.buffer.place = lambda _: -0.030 + LOW
    player.buffer.take(LOW, 0.0, 0.0)

    assert player.buffer.offset == 0.030
    assert abs(player.buffer.excess) < 1e-9
    assert player.buffer.speed == 0.0


def test_who_resumes_goes_on_in_the_middle_of_what_he_is_given() -> None:
    """Of 100 ms that have come, all but what would be waiting now is left out."""
    player = Player()
    player.buffer.resume()
    for n in range(5):
        player.push(n, 0.020 * n)
    now = 0.100

    steps = [player.buffer.take(now, now, now) for _ in range(6)]

    assert steps[0] == Shift(-0.080)
    assert [isinstance(step, Play) for step in steps[1:]] == [True] * 5
    assert abs(player.buffer.slack - player.buffer.target) < 1e-9
