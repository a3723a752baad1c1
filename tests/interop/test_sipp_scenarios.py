"""Each story in `sipp-scenarios/` played against the device: SIPp's verdict, and what it caused."""

import contextlib
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.interop.device import Device, device, is_bound, wait_until
from tests.interop.sipp import REPETITIONS_COUNT, SCENARIOS, playing, sipp
from tests.interop.witness import seen
from tests.support.ports import free_port

pytestmark = pytest.mark.interop

ANSWER = "/sip/accounts/0/answer_automatically"


@pytest.fixture(scope="module")
def manual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A device whose calls ring until somebody answers."""
    with device(tmp_path_factory.mktemp("manual"), "--set", f"{ANSWER}=false") as running:
        yield running
        running.wait_idle()


@pytest.fixture(params=["u1", "t1"], ids=["udp", "tcp"])
def transport(request: pytest.FixtureRequest) -> str:
    return request.param


# --- that are answered by themselves ------------------------------------------------------------

LIT_ONCE = {
    "uac-answer-and-bye": (),
    "uac-retransmitted-invite": REPETITIONS_COUNT,
    "uac-lost-ack": REPETITIONS_COUNT,
    "uac-lost-200": REPETITIONS_COUNT,
    "uac-cancel-200-race": (),
    "uac-reinvite-hold": (),
    "uac-update": (),
    "uac-no-offer": (),
    "uac-info-digit": (),
}


@pytest.mark.parametrize("scenario", LIT_ONCE)
def test_one_call_is_one_operation(
    demo: Device, tmp_path: Path, scenario: str, transport: str
) -> None:
    """Whatever is lost, repeated or changed on the way: the light begins once and ends once."""
    began = time.monotonic()

    sipp(scenario, demo.port, tmp_path, "-d", "300", *LIT_ONCE[scenario], transport=transport)

    demo.wait_idle()
    story = seen(demo.frames, began)
    assert [s.profile for s in story] == ["Notice", ""]


DARK = [
    "uac-options",
    "uac-not-acceptable",
    "uac-session-interval-too-small",
    "uac-unknown-extension-required",
]


@pytest.mark.parametrize("scenario", DARK)
def test_what_is_refused_lights_nothing(
    demo: Device, tmp_path: Path, scenario: str, transport: str
) -> None:
    began = time.monotonic()

    sipp(scenario, demo.port, tmp_path, transport=transport)

    assert not demo.calls
    assert seen(demo.frames, began) == []


def test_calls_that_are_not_allowed_are_refused(demo: Device, tmp_path: Path) -> None:
    """SIP-02: 403, and the light stays dark."""
    began = time.monotonic()

    with demo.having("/sip/allow_incoming", False, otherwise=True):
        sipp("uac-refused", demo.port, tmp_path)

    assert seen(demo.frames, began) == []


def test_who_calls_a_taken_device_is_told_so(demo: Device, tmp_path: Path) -> None:
    """RFC 3261 §21.4.24: no more calls than the settings allow; the one that runs is not hurt."""
    target, one_call = f"127.0.0.1:{demo.port}", ("-s", "1002", "-m", "1", "-d", "2500")
    with (
        demo.having("/sip/max_calls", 1, otherwise=250),
        playing("uac-answer-and-bye", target, tmp_path / "first", *one_call),
    ):
        wait_until(lambda: bool(demo.calls))
        sipp("uac-busy", demo.port, tmp_path / "second")
        assert [call["extension"] for call in demo.calls] == ["1002"]


def test_two_record_routes(demo: Device, tmp_path: Path) -> None:
    """RFC 3261 §12.2.1.1: hung up by the device, the BYE takes the way that was recorded."""
    with playing(
        "uac-two-record-routes", f"127.0.0.1:{demo.port}", tmp_path, "-s", "1001", "-m", "1"
    ):
        wait_until(lambda: any(c["state"] == "active" for c in demo.calls))
        demo.command("hang-up")


# --- that ring ----------------------------------------------------------------------------------


def test_cancelled_while_ringing(manual: Device, tmp_path: Path, transport: str) -> None:
    began = time.monotonic()

    sipp("uac-cancel-while-ringing", manual.port, tmp_path, transport=transport)

    manual.wait_idle()
    assert seen(manual.frames, began) == []


def ringing(of: Device) -> bool:
    return any(call["state"] == "ringing" for call in of.calls)


def test_reliable_ringing(manual: Device, tmp_path: Path, transport: str) -> None:
    """RFC 3262: the 180 has been acknowledged before somebody answers."""
    began = time.monotonic()
    arguments = ("-s", "1001", "-m", "1", *REPETITIONS_COUNT)
    with playing(
        "uac-100rel", f"127.0.0.1:{manual.port}", tmp_path, *arguments, transport=transport
    ):
        wait_until(lambda: ringing(manual))
        time.sleep(0.2)  # longer than it takes to acknowledge, shorter than T1
        manual.command("answer-call")

    manual.wait_idle()
    assert [s.profile for s in seen(manual.frames, began)] == ["Notice", ""]


def test_declined_while_ringing(manual: Device, tmp_path: Path) -> None:
    """486: who is called has no time."""
    with playing("uac-busy", f"127.0.0.1:{manual.port}", tmp_path, "-s", "1001", "-m", "1"):
        wait_until(lambda: ringing(manual))
        manual.command("hang-up")

    manual.wait_idle()


# --- the device calls ---------------------------------------------------------------------------


@contextlib.contextmanager
def callee(scenario: str, folder: Path, *arguments: str) -> Generator[str]:
    """Somebody who can be called; the address."""
    port = free_port()
    with playing(scenario, "", folder, "-p", str(port), "-m", "1", *arguments):
        wait_until(lambda: is_bound(port), words="SIPp listens")
        yield f"sip:desk@127.0.0.1:{port}"


def test_the_device_calls_and_hangs_up(demo: Device, tmp_path: Path) -> None:
    with callee("uas-answer", tmp_path) as address:
        demo.command("dial", uri=address)
        wait_until(lambda: any(c["state"] == "active" for c in demo.calls))
        demo.command("hang-up")

    demo.wait_idle()


def test_the_device_calls_and_the_other_side_hangs_up(demo: Device, tmp_path: Path) -> None:
    with callee("uas-answer-and-bye", tmp_path, "-d", "300") as address:
        demo.command("dial", uri=address)

    demo.wait_idle()


def test_a_call_to_somebody_who_is_busy(demo: Device, tmp_path: Path) -> None:
    with callee("uas-busy", tmp_path) as address:
        demo.command("dial", uri=address)

    demo.wait_idle()


def test_a_call_that_nobody_answers(demo: Device, tmp_path: Path) -> None:
    """SIP-04: when the calling timeout is over, the call is cancelled (RFC 3261 §9.1)."""
    with (
        demo.having("/sip/calling_timeout", 1, otherwise=60),
        callee("uas-never-answers", tmp_path) as address,
    ):
        demo.command("dial", uri=address)

    demo.wait_idle()


def test_every_story_is_told() -> None:
    """No scenario lies in the folder that nobody plays."""
    sources = [path.read_text("utf-8") for path in Path(__file__).parent.glob("*.py")]
    told = {path.stem for path in SCENARIOS.glob("*.xml")}

    assert [name for name in sorted(told) if not any(f'"{name}"' in s for s in sources)] == []
