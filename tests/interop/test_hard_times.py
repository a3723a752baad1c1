"""More calls than can be taken, and messages that are none: afterwards all is as before."""

import contextlib
import socket
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from tests.interop.caller import Dialogue, Wire, status
from tests.interop.device import TRUSTING, Device, answers_options, device
from tests.interop.witness import await_dark_and_silent, seen
from tests.sip.torture import CASES
from tests.support.mutate import Mutator

pytestmark = [pytest.mark.interop, pytest.mark.alone]

RATE = 300  # INVITEs a second
SECONDS = 3
MAX_CALLS = 60  # few enough for their media on a busy machine: what is over is the point here
LEAK_MIB = 3.0  # 60 calls and 840 refusals that stayed would be more
STORM = 20_000  # datagrams
AT_ONCE = 200  # of them; then it is asked whether all have been read
RETRY_LATER = (486, 503)


def burst(port: int) -> Counter[int]:
    """Calls that begin at a fixed pace, answered or not, and all end; how each was answered."""
    outcomes: Counter[int] = Counter()
    with Wire(port) as wire:
        calls = [Dialogue(port, wire.own) for _ in range(RATE * SECONDS)]
        waiting = {call.call_id: call for call in calls}
        active: list[Dialogue] = []
        wire.patience(0.0005)
        began = time.monotonic()
        for number, call in enumerate(calls):
            wire.send(call.invite())
            while time.monotonic() < began + number / RATE:
                take(wire, waiting, active, outcomes)
        deadline = time.monotonic() + 10
        while waiting and time.monotonic() < deadline:
            take(wire, waiting, active, outcomes)
        for call in active:
            wire.send(call.bye())
        wire.patience(0.3)
        with contextlib.suppress(TimeoutError):
            while True:
                wire.receive()
    return outcomes


def take(
    wire: Wire, waiting: dict[bytes, Dialogue], active: list[Dialogue], outcomes: Counter[int]
) -> None:
    """Take a response, if there is one, and acknowledge it."""
    try:
        response = wire.receive()
    except (TimeoutError, BlockingIOError):
        return
    if b"INVITE" not in response or status(response) < 200:
        return
    name = response.split(b"Call-ID: ", 1)[1].split(b"\r\n", 1)[0]
    call = waiting.pop(name, None)
    if call is None:
        return  # once more
    code = call.take(response)
    outcomes[code] += 1
    if code == 200:
        active.append(call)
        wire.send(call.ack())
    else:
        assert b"Retry-After: " in response
        wire.send(call.ack_of_refusal())


def test_a_burst_of_calls(tmp_path: Path, figures: dict[str, str]) -> None:
    """300 INVITEs/s: each is answered, those over the limit are told when to try again."""
    with device(tmp_path, *TRUSTING, "--set", f"/sip/max_calls={MAX_CALLS}") as running:
        burst(running.port)  # warms up
        running.wait_idle()
        size = running.resident_mib
        outcomes = burst(running.port)
        running.wait_idle()
        growth, files = running.resident_mib - size, open_files(running)

        assert outcomes.total() == RATE * SECONDS
        assert outcomes[200] >= MAX_CALLS
        assert set(outcomes) <= {200, *RETRY_LATER}
        assert growth < LEAK_MIB
        assert files < 40
        assert answers_options(running.port)
        figures[f"{RATE} INVITEs/s for {SECONDS} s, limit {MAX_CALLS} calls"] = (
            f"{outcomes[200]} accepted, {outcomes.total() - outcomes[200]} told to try again; "
            f"growth {growth:.1f} MiB"
        )


def open_files(running: Device) -> int:
    return len(list(Path(f"/proc/{running.process.pid}/fd").iterdir()))


def storm(port: int, corpus: list[bytes], count: int, seed: int) -> None:
    """Send spoilt messages as fast as they are read."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("127.0.0.1", 0))
        for number, data in enumerate(islice(Mutator(corpus, seed), count)):
            with contextlib.suppress(OSError):  # ICMP of an earlier answer
                wire.sendto(data, ("127.0.0.1", port))
            if number % AT_ONCE == 0:
                assert any(answers_options(port) for _ in range(100))


def test_a_storm_of_nonsense(tmp_path: Path, figures: dict[str, str]) -> None:
    """20,000 spoilt messages; then a call works at once, and nothing has gone wrong inside."""
    with device(tmp_path, *TRUSTING, "--set", f"/sip/max_calls={MAX_CALLS}") as running:
        call = Dialogue(running.port, 9)
        whole = [call.invite(), call.ack(), call.bye(), call.cancel(), call.options()]
        began = time.monotonic()
        storm(running.port, whole + [case.data for case in CASES], STORM, seed=20)
        seconds = time.monotonic() - began
        running.command("hang-up")  # those of the spoilt messages that were good enough
        running.wait_idle()
        at = time.monotonic()
        assert_call_works(running)
        await_dark_and_silent(running, at)

        assert [s.profile for s in seen(running.frames, at)] == ["Notice", ""]
        figures[f"{STORM:,} spoilt messages"] = f"{seconds:.1f} s"


def assert_call_works(running: Device) -> None:
    with Wire(running.port) as wire:
        call = Dialogue(running.port, wire.own, extension="1001")
        wire.send(call.invite())
        assert call.take(wire.final()) == 200
        wire.send(call.ack())
        time.sleep(0.1)
        wire.send(call.bye())
        assert call.take(wire.final()) == 200
