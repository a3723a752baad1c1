"""Kill a process that writes settings, again and again, and look at what it has left.

Run as a program of its own, because it forks: ``python -m tests.config.killing FOLDER``.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from sipstrobe.config.settings import Settings
from sipstrobe.config.store import Store
from sipstrobe.config.users import Role, make_user

KILLS = 200
ROUND = 0.01  # seconds; longer than a change takes


def patch_of(number: int) -> dict[str, object]:
    """The change of this number. It shows in the open part and in the secrets."""
    root = make_user("root", Role.ADMINISTRATOR, f"password {number}")
    return {"sip": {"port": 2000 + number}, "web": {"users": [root]}}


def number_of(settings: Settings) -> int | None:
    """Which change made these settings, None if none did; they must be of one piece."""
    if not settings.web.users:
        assert settings.sip.port == 5060
        return None
    number = settings.sip.port - 2000
    assert settings.web.users[0].proves(f"password {number}")
    return number


def write_until_killed(folder: Path, first: int, report: int) -> None:
    """Change the settings as fast as the disk allows, and report each change once it is seen."""
    store = Store.open(folder)
    for number in range(first, 60_000):
        store.change_now(patch_of(number))
        os.write(report, number.to_bytes(4, "big"))


def killed_after(folder: Path, first: int, seconds: float) -> int:
    """Kill a writing process after this time; the last change that it had reported."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            write_until_killed(folder, first, writer)
        finally:
            os._exit(1)
    os.close(writer)
    first_report = os.read(reader, 4)
    assert len(first_report) == 4  # it is at work
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    reported = first_report
    while more := os.read(reader, 65536):
        reported += more
    os.close(reader)
    return int.from_bytes(reported[-4:], "big")


def main(folder: Path) -> None:
    moments = random.Random(9)
    number = 0
    for _ in range(KILLS):
        reported = killed_after(folder, number + 1, moments.uniform(0, ROUND))
        store = Store.open(folder)
        found = number_of(store.current)
        store.close()
        assert found in (reported, reported + 1), (reported, found)
        number = found
    print(KILLS, "kills")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
