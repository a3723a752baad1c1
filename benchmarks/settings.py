"""What a change of the settings costs the loop, and how long it takes to the disk.

python -m benchmarks.settings [FOLDER]    (on whose disk; default: a temporary folder)
"""

import sys
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter

from sipstrobe.config.demo import PROFILES, demo
from sipstrobe.config.store import Store
from sipstrobe.config.users import Role, make_user
from sipstrobe.rules.actions import RunProfile
from sipstrobe.rules.settings import Condition, Rule

TURNS = 100


def main(folder: Path) -> None:
    print(f"{'settings':<34}{'step':<32}{'p50 ms':>9}{'p99 ms':>9}")
    for words, patch in (("as shipped", {}), ("demonstration", demo()), ("full", _full())):
        store = Store.open(folder / words)
        store.change_now(patch)
        _measure(words, store, folder / words)


def _full() -> dict[str, object]:
    """As much as fits: 256 rules of 10 conditions, 30 profiles, 100 users."""
    conditions = tuple(
        Condition(event="call/state", match={"state": "active", "extension": str(1000 + i)})
        for i in range(10)
    )
    rules = [
        Rule(name=f"Rule {i}", conditions=conditions, action=RunProfile(profile="Profile 1"))
        for i in range(256)
    ]
    profiles = [
        {"name": f"Profile {i}", "light": PROFILES[0].light, "siren": PROFILES[0].siren}
        for i in range(30)
    ]
    users = [make_user(f"user{i}", Role.ADMINISTRATOR, "secret") for i in range(100)]
    return {"rules": rules, "profiles": profiles, "web": {"users": users}}


def _measure(words: str, store: Store, folder: Path) -> None:
    taken: dict[str, list[float]] = {"validated (on the loop)": [], "written (in a thread)": []}
    taken["committed (on the loop)"] = []
    for turn in range(TURNS):
        marks = [perf_counter()]
        prepared = store.prepare({"sip": {"port": 6000 + turn}})
        marks.append(perf_counter())
        store.write(prepared)
        marks.append(perf_counter())
        store.commit(prepared)
        marks.append(perf_counter())
        for times, (begun, ended) in zip(taken.values(), pairwise(marks), strict=True):
            times.append(ended - begun)
    store.close()
    taken["read at start-up"] = []
    for _ in range(TURNS // 10):
        begun = perf_counter()
        Store.open(folder).close()
        taken["read at start-up"].append(perf_counter() - begun)
    size = (folder / "settings.json").stat().st_size
    for step, times in taken.items():
        cuts = quantiles(times, n=100, method="inclusive")
        label = f"{words}, {size / 1000:.0f} kB"
        print(f"{label:<34}{step:<32}{cuts[49] * 1e3:>9.2f}{cuts[98] * 1e3:>9.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with TemporaryDirectory() as name:
            main(Path(name))
