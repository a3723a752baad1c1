"""A page on several speakers at the same instant, by the clock that they have in common."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.events import PageState
from sipstrobe.multicast.settings import PageSource
from sipstrobe.rtp import rtcp
from sipstrobe.rtp.session import NTP_EPOCH
from sipstrobe.services.page_stream import PageStream
from tests.services.test_page_stream import DESK, PACKET_TIME, Hall, Talker
from tests.services.test_sound import PERIOD
from tests.support.hear import Samples, tone_db

DELAY_MS = 120
SAMPLE = 1 / SAMPLE_RATE


class Reporter(Talker):
    """Reports as well; his clock is ahead of the speaker's by so many seconds."""

    ahead = 0.0

    def report(self, now: float, instant: float | None = None) -> None:
        """That the next packet is of this instant, or of now."""
        wall = self.stream_clock() + self.ahead + NTP_EPOCH
        wall += 0.0 if instant is None else instant - now
        info = rtcp.SenderInfo(round(wall * (1 << 32)), self.timestamp, 0, 0)
        data = rtcp.compound([rtcp.Report(self.ssrc, info)])
        self.stream.receive_rtcp(data, (DESK[0], DESK[1] + 1), now)

    stream_clock: Callable[[], float]


class Speaker(NamedTuple):
    hall: Hall
    page: PageStream
    talker: Reporter


def speaker(
    codec: str = "L16/48000", *, delay_ms: int | None = DELAY_MS, latency: str = "normal"
) -> Speaker:
    hall = Hall()
    source = PageSource(
        label="Fire",
        address="239.1.1.1",
        port=5004,
        playout_delay=delay_ms,
        latency="low" if latency == "low" else "normal",
    )
    page = PageStream(hall.bench.context, source, 1, codec)
    talker = Reporter(page, codec)
    talker.stream_clock = lambda: hall.bench.clock.wall().timestamp()
    return Speaker(hall, page, talker)


def hear(one: Speaker, seconds: float, *, transit: float = 0.0, reports: float = 0.0) -> Samples:
    """What is heard while he talks; each packet comes so long after its instant. reports: seconds
    after which he reports again; 0: only before the first packet."""
    hall, talker = one.hall, one.talker
    clock = hall.bench.clock
    began, pieces = clock.now(), list[np.ndarray]()
    said, reported = 0, 0
    while clock.now() < began + seconds - 1e-6:
        at = clock.now()
        while began + said * PACKET_TIME <= at + 1e-6:
            due = began + said * PACKET_TIME
            if said == 0 or (reports and due >= began + (reported + 1) * reports):
                reported += said > 0
                talker.report(at)
            clock.call_at(due + transit, lambda: talker.say(clock.now()))
            said += 1
        pieces.append(hall.bench.play(PERIOD).astype(np.float64))
    return np.concatenate(pieces)


def first_sound(sound: Samples) -> float:
    """Seconds from the beginning to the first sample that is not silence."""
    return float(np.flatnonzero(np.abs(sound) > 1e-4)[0]) * SAMPLE


@pytest.mark.parametrize("transit", [0.0, 0.003, 0.041])
@pytest.mark.parametrize("latency", ["normal", "low"])
def test_the_first_sample_is_heard_at_its_instant(transit: float, latency: str) -> None:
    """Whatever the network takes and however long sound waits otherwise."""
    one = speaker(latency=latency)

    sound = hear(one, 0.4, transit=transit)

    # The tone begins with a sample of 0, and the speaker fades it in.
    assert first_sound(sound) == pytest.approx(DELAY_MS / 1000, abs=10 * SAMPLE)
    assert one.page.snapshot()["offset_ms"] == pytest.approx(0.0, abs=0.02)
    assert one.page.problem == ""


@pytest.mark.parametrize("codec", ["PCMU", "G722", "L16/16000"])
def test_what_the_resampling_takes_is_part_of_the_delay(codec: str) -> None:
    """Speakers that hear the same by different ways sound alike at the same instant."""
    plain, coded = speaker("L16/48000"), speaker(codec)

    sounds = [hear(one, 0.6)[-9600:] for one in (plain, coded)]

    lags = np.arange(-48, 49)
    window = sounds[0][1000:-1000]
    fits = [float(window @ sounds[1][1000 + lag : 8600 + lag]) for lag in lags]
    codec_itself = 22 * 3 if codec == "G722" else 0  # ITU-T G.722: the two filters, 22 samples
    lag = int(lags[int(np.argmax(fits))])
    assert abs(lag - codec_itself) <= 1 or abs(lag - codec_itself + SAMPLE_RATE // 500) <= 1


def test_who_learns_of_the_clock_later_converges_and_is_not_heard_doing_so() -> None:
    """Without a report a page begins as ever, which is too early here by 60 ms at first."""
    one = speaker("PCMU")
    hall, talker = one.hall, one.talker
    hall.play(1.0, talker)
    assert one.page.snapshot()["offset_ms"] is None

    talker.report(hall.bench.clock.now())
    hall.play(0.04, talker)
    early = one.page.snapshot()["offset_ms"]
    during = hall.play(12.0, talker)

    assert -65.0 < early < -30.0
    assert one.page.snapshot()["offset_ms"] == pytest.approx(0.0, abs=0.25)
    assert np.abs(np.diff(during)).max() < 0.05  # the tone's own are 0.033
    tone = [tone_db(piece, 500.0) for piece in np.split(during[: 100 * 4800], 100)]
    assert min(tone) > -12.0


def test_a_page_that_begins_before_its_report_waits_for_it_a_little() -> None:
    """They come by two sockets."""
    one = speaker()
    hall, talker = one.hall, one.talker
    clock = hall.bench.clock
    began = clock.now()

    info_timestamp = talker.timestamp
    talker.say(clock.now())
    talker.timestamp, upcoming = info_timestamp, talker.timestamp
    talker.report(clock.now())
    talker.timestamp = upcoming
    sound = np.concatenate([hall.play(PACKET_TIME), hall.play(0.3, talker)])

    assert clock.now() - began == pytest.approx(0.32)
    assert first_sound(sound) == pytest.approx(DELAY_MS / 1000, abs=10 * SAMPLE)


def test_a_page_without_reports_is_heard_all_the_same() -> None:
    one = speaker()

    sound = one.hall.play(0.6, one.talker)

    assert tone_db(sound[-9600:], 500.0) == pytest.approx(-9.0, abs=1.0)
    assert one.page.snapshot()["offset_ms"] is None
    assert one.page.problem == ""


def test_a_clock_that_is_not_ours_is_said_and_not_followed() -> None:
    one = speaker()
    one.talker.ahead = 3 * 3600.0

    sound = hear(one, 0.6)

    assert first_sound(sound) == pytest.approx(0.060, abs=0.055)
    assert one.page.problem == "the sender's clock is not ours: it is 3 hours ahead"
    assert one.page.snapshot()["offset_ms"] is None


def test_a_page_stays_on_its_instant_while_clocks_drift() -> None:
    """The sender's sound card is 100 ppm slow against his clock, which his reports tell."""
    one = speaker("L16/48000")
    clock = one.hall.bench.clock
    began, said = clock.now(), 0
    for step in range(4000):
        while clock.now() >= began + said * PACKET_TIME * 1.0001 - 1e-9:
            if said % 250 == 0:
                one.talker.report(clock.now(), began + said * PACKET_TIME * 1.0001)
            one.talker.say(clock.now())
            said += 1
        one.hall.bench.play(PERIOD)
        if step > 1000:
            assert abs(one.page.snapshot()["offset_ms"]) < 0.6


@pytest.mark.parametrize("codec", ["PCMU", "L16/48000"])
@pytest.mark.parametrize("hidden", [0.10, 0.14, 0.16, 0.18, 0.30])
def test_who_was_hidden_is_back_on_his_instant(hidden: float, codec: str) -> None:
    """Also when it was for so short that nothing of what was said meanwhile is forgotten, and so
    long that the card had nothing of it any more."""
    one = speaker(codec)
    hear(one, 1.0)
    above = Talker(one.hall.page("Siren", 0))
    one.hall.play(hidden, one.talker, above)
    assert one.page.state is PageState.HIDDEN

    above.stream.close()
    one.hall.play(0.12, one.talker)  # so long that the card is believed, whatever it says

    assert one.page.snapshot()["offset_ms"] == pytest.approx(0.0, abs=0.5)


@pytest.mark.parametrize("ahead", [0.1, 0.45])
def test_a_clock_that_is_ahead_by_less_is_followed_as_well(ahead: float) -> None:
    """All speakers wait for it, however much longer that is than the delay; and so they do who were
    hidden, of which nothing is heard but the time between."""
    one = speaker("PCMU")
    one.talker.ahead = ahead

    sound = hear(one, 2.0)
    above = Talker(one.hall.page("Siren", 0))
    one.hall.play(2.0, one.talker, above)
    above.stream.close()
    back = one.hall.play(0.4, one.talker)

    assert first_sound(sound) == pytest.approx(DELAY_MS / 1000 + ahead, abs=0.002)
    pieces = [*np.split(sound[48_000:], 20), *np.split(back, 16)[1:]]
    assert min(tone_db(piece, 500.0) for piece in pieces) > -10.0
    assert one.page.snapshot()["offset_ms"] == pytest.approx(0.0, abs=0.5)


def test_the_offsets_are_measured() -> None:
    one = speaker()
    hear(one, 0.4)

    _, offsets = one.hall.bench.context.measures.histograms["page_offset_seconds"]

    assert offsets.count >= 19
    assert offsets.largest < 0.0001


def test_what_comes_too_late_for_its_instant_is_heard_as_soon_as_it_can_be() -> None:
    """A network slower than the delay: nothing is left out, and the offset is told."""
    one = speaker(delay_ms=20)

    sound = hear(one, 4.0, transit=0.050)[48_000:]

    pieces = [tone_db(piece, 500.0) for piece in np.split(sound, 60)]
    assert min(pieces) > -10.0
    assert one.hall.bench.sound.underruns == 0
    assert one.page.snapshot()["offset_ms"] > 20.0
