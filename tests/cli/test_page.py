"""`sipstrobe page`: its pace on a clock of the test's own, and what it refuses."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from sipstrobe.audio.format import Samples
from sipstrobe.cli import main
from sipstrobe.cli.page import LATE, in_frames, pace, page_phones
from sipstrobe.errors import MediaError
from sipstrobe.multicast.group_paging import OpCode, parse
from sipstrobe.services.desk_talker import DeskTalker
from sipstrobe.services.talker import Talker
from tests.interop.tones import write_tone
from tests.services.test_talker import Air, drawn
from tests.support.hear import tone_db
from tests.support.netns import namespace

FRAME = np.zeros(160, np.float32)


class Hand:
    """A clock that moves when somebody waits, or takes his time; and notes when a packet left."""

    def __init__(self) -> None:
        self.time = 50.0
        self.air = Air()
        self.left: list[float] = []
        self.air.send = self._send  # type: ignore[method-assign]

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        assert seconds > 0
        self.time += seconds

    def frames(self, *works: float) -> Iterator[Samples]:
        """One each, after so many seconds of work."""
        for seconds in works:
            self.time += seconds
            yield FRAME

    def page(self, frames: Iterator[Samples]) -> None:
        talker = Talker(self.air, "PCMU", None, drawn, ntp_offset=0.0, now=self.time)
        pace(talker, frames, self.now, self.wait)

    def _send(self, data: bytes) -> None:
        self.left.append(round(self.time - 50.0, 6))
        self.air.sent.append(data)


def test_packets_leave_on_a_grid() -> None:
    """However long each takes to be made, as long as it is ready in time; the first at once."""
    hand = Hand()

    hand.page(hand.frames(0.3, 0.001, 0.019, 0.0, 0.01))

    assert hand.left == [0.3, 0.32, 0.34, 0.36, 0.38]
    assert hand.time == pytest.approx(50.4)  # BYE when the last has been heard
    assert len(hand.air.reports) == 2


def test_what_is_late_is_caught_up_with() -> None:
    """A machine that was busy for a moment: the grid stays, no sound is lost."""
    hand = Hand()

    hand.page(hand.frames(0.0, 0.07, 0.0, 0.0, 0.0, 0.0))

    assert hand.left == [0.0, 0.07, 0.07, 0.07, 0.08, 0.1]
    assert [p.marker for p in hand.air.packets] == [True] + [False] * 5


def test_who_makes_a_pause_goes_on_after_it() -> None:
    """Longer than LATE: the timestamps jump with the time, nothing is sent in a heap."""
    hand = Hand()

    hand.page(hand.frames(0.0, 0.0, 2 * LATE + 0.02, 0.0, 0.0))

    assert hand.left == [0.0, 0.02, 0.44, 0.46, 0.48]
    first, *_, last = hand.air.packets
    assert (last.timestamp - first.timestamp) % (1 << 32) == 0.48 * 8000
    assert [p.marker for p in hand.air.packets] == [True, False, True, False, False]


def test_goodbye_is_said_also_when_the_sound_breaks_off() -> None:
    hand = Hand()

    def broken() -> Iterator[Samples]:
        yield FRAME
        raise MediaError("the file is cut short")

    with pytest.raises(MediaError):
        hand.page(broken())

    assert len(hand.air.reports) == 2  # and one before the first packet


def to_phones(
    hand: Hand, frames: Iterator[Samples], rival: Callable[[], str] = str
) -> list[tuple[OpCode, float]]:
    """When which packet left."""
    talker = DeskTalker(hand.air.send, "PCMU", 26, "Gate", 7)
    try:
        page_phones(talker, frames, hand.now, hand.wait, rival)
    finally:
        ops = [parse(data).op for data in hand.air.sent]
    return list(zip(ops, hand.left, strict=True))


def test_phones_are_alerted_for_a_second_and_told_the_end_twelve_times() -> None:
    """EA 70568: 31 alerts and 12 ends, 30 ms apart, once there is something to say."""
    hand = Hand()
    frames = (np.zeros(240, np.float32) for _ in hand.frames(0.5, 0.01, 0.02))

    left = to_phones(hand, frames)

    begin, sound, end = 0.5, 0.5 + 31 * 0.03, 0.5 + 34 * 0.03
    assert left == [
        *((OpCode.ALERT, round(begin + n * 0.03, 6)) for n in range(31)),
        *((OpCode.TRANSMIT, round(sound + n * 0.03, 6)) for n in range(3)),
        *((OpCode.END, round(end + n * 0.03, 6)) for n in range(12)),
    ]


def test_nobody_is_alerted_for_nothing() -> None:
    assert to_phones(Hand(), iter(())) == []


def test_who_has_the_channel_before_us_is_left_alone() -> None:
    """EA 70568: the phone with the lowest serial number goes on, and all others stop."""
    hand = Hand()

    def rival() -> str:
        return "Reception (192.0.2.5)" if len(hand.left) == 4 else ""

    with pytest.raises(MediaError, match=r"Reception \(192.0.2.5\) is paging on this channel"):
        to_phones(hand, iter([np.zeros(240, np.float32)] * 9), rival)

    assert [parse(data).op for data in hand.air.sent] == [OpCode.ALERT] * 4


@pytest.mark.parametrize("breaks_after", [10, 31, 33], ids=["alerts", "sound", "more sound"])
def test_phones_are_told_the_end_also_when_the_page_breaks_off(breaks_after: int) -> None:
    hand, presses = Hand(), [KeyboardInterrupt()]

    def wait(seconds: float) -> None:
        if len(hand.left) == breaks_after and presses:
            raise presses.pop()
        Hand.wait(hand, seconds)

    hand.wait = wait  # type: ignore[method-assign]
    frames = iter([np.zeros(240, np.float32)] * 9)

    with pytest.raises(KeyboardInterrupt):
        to_phones(hand, frames)

    assert [parse(data).op for data in hand.air.sent[breaks_after:]] == [OpCode.END] * 12


@pytest.mark.parametrize(("rate", "wanted"), [(48000, 8000), (8000, 48000), (44100, 16000)])
def test_another_rate_is_made_of_the_sound(rate: int, wanted: int) -> None:
    """As loud and as long, whatever the blocks; the last frame is filled up."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(rate) / rate).astype(np.float32)
    blocks = iter(np.split(tone, [7, 5000, 20000]))

    frames = list(in_frames(blocks, rate, wanted, 320))

    assert {frame.size for frame in frames} == {320}
    assert len(frames) == -(-wanted // 320)
    heard = np.concatenate(frames).astype(np.float64)[2000 : wanted - 2000]
    assert tone_db(heard, 1000.0, wanted) == pytest.approx(-3.01, abs=0.1)


def test_the_same_rate_stays_as_it_is() -> None:
    blocks = [np.ones(5, np.float32), np.ones(8, np.float32)]

    frames = list(in_frames(iter(blocks), 8000, 8000, 4))

    assert [list(frame) for frame in frames] == [[1] * 4, [1] * 4, [1] * 4, [1, 0, 0, 0]]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--to", "192.0.2.1:5004"), "'192.0.2.1:5004' is not GROUP:PORT with a multicast address"),
        (("--to", "239.1.2.3"), "'239.1.2.3' is not GROUP:PORT with a multicast address"),
        (("--to", "239.1.2.3:"), "the port must be 1 to 65534"),
        (("--to", "239.1.2.3:65535"), "the port must be 1 to 65534"),
        (("--to", "[ff15::1]:x"), "the port must be 1 to 65534"),
        (("--to", "239.1.2.3:5004", "--ttl", "0"), "must be 1 to 255"),
        (("--to", "239.1.2.3:5004", "--codec", "mp3"), "invalid choice: 'mp3'"),
        (
            ("--to", "239.1.2.3:5004", "--srtp-key", "ab" * 31),
            "must be 56, 60, 88 or 92 hexadecimal characters",
        ),
        (("--to", "239.1.2.3:5004", "--srtp-key", "@/no/such"), "/no/such cannot be read"),
        (("--to", "224.0.1.116:5001", "--channel", "51"), "must be 1 to 50"),
        (("--to", "224.0.1.116:5001", "--channel", "0"), "must be 1 to 50"),
        (
            ("--to", "224.0.1.116:5001", "--channel", "26", "--caller-id", "Fourteen signs"),
            "must be 1 to 13 letters, digits and signs of ASCII",
        ),
        ((), "the following arguments are required: --to"),
    ],
)
def test_what_cannot_be_is_said_in_words(
    words: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["page", "gong.wav", *words])

    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_wrong_key_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["page", "gong.wav", "--to", "239.1.2.3:5004", "--srtp-key", "abcdef" * 11])

    assert "abcdef" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "No such file or directory"), (b"no sound at all", "none of the known kinds")],
)
def test_a_file_that_is_no_sound(
    tmp_path: Path, content: bytes | None, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "gong.wav"
    if content is not None:
        file.write_bytes(content)

    assert main(["page", str(file), "--to", "239.1.2.3:5004"]) == 1

    assert complaint in capsys.readouterr().err


def test_an_interface_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["page", "-", "--to", "239.1.2.3:5004", "--interface", "moon0"]) == 1

    assert capsys.readouterr().err == "sipstrobe: there is no network interface 'moon0'\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--caller-id", "Gate"), "--caller-id is for desk phones, which --channel is needed for"),
        (
            ("--channel", "26", "--codec", "PCMA"),
            "desk phones do not know PCMA, only PCMU and G722",
        ),
        (
            ("--channel", "26", "--srtp-key", "ab" * 30),
            "what is said to desk phones cannot be encrypted",
        ),
    ],
)
def test_what_desk_phones_cannot_hear(
    words: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["page", "-", "--to", "224.0.1.116:5001", *words]) == 1

    assert capsys.readouterr().err == f"sipstrobe: {complaint}\n"


def test_a_channel_that_cannot_be_heard_is_not_spoken_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it is not known whether somebody has it."""
    tone = write_tone(tmp_path / "tone.wav", [1000.0], 0.1)
    with namespace() as empty, empty.inside():
        assert main(["page", str(tone), "--to", "224.0.1.116:5001", "--channel", "26"]) == 1

    assert capsys.readouterr().err == "sipstrobe: 224.0.1.116 cannot be heard: No such device\n"
