"""What light patterns cost: frames a second, multiples of real time, and a start of a profile.

python -m benchmarks.patterns
"""

import asyncio
from collections.abc import Callable
from time import thread_time

from sipstrobe.audio.source import AddSource, RemoveSource
from sipstrobe.clock import LoopClock
from sipstrobe.commands import StartProfile
from sipstrobe.context import Context
from sipstrobe.lightsiren.catalogue import PATTERNS, SYSTEM_PATTERNS
from sipstrobe.lightsiren.patterns import FULL_INTENSITY, animate, find
from sipstrobe.lightsiren.settings import LightPart, LightsSettings, Profile, SirenPart
from sipstrobe.services.signals import Signals

FRAMES = 20_000
STARTS = 5_000
WATCHED = 3.0  # seconds of the whole light path on the real clock


def main() -> None:
    print(f"{'pattern':<18}{'compose µs':>11}{'frame µs':>10}{'frames/s':>11}{'x real time':>13}")
    for name in (*PATTERNS, *SYSTEM_PATTERNS):
        print(_row(name))
    print()
    asyncio.run(_service())


def _row(name: str) -> str:
    """The quickest speed of a pattern: composing it anew, and then playing it."""
    pattern = find(name)
    speed = pattern.speeds[-1]
    cold = _timed(200, lambda: animate.__wrapped__(name, None, speed, FULL_INTENSITY))
    animation = animate(name, None, speed)
    begun, at, frames = thread_time(), 0.0, 0
    while frames < FRAMES:
        _, following = animation.at(at)
        at = at + 1.0 if following is None else following
        frames += 1
    each = (thread_time() - begun) / frames
    changes = "" if animation.at(0.0)[1] is None else f"{at / (each * frames):>13,.0f}"
    return f"{name:<18}{cold * 1e6:>11.0f}{each * 1e6:>10.2f}{1 / each:>11,.0f}{changes}"


async def _service() -> None:
    """The service on the running loop, with a speaker that takes a first block and no more."""
    context = Context(LoopClock(asyncio.get_running_loop()))
    context.dispatcher.serve(AddSource, _take)
    context.dispatcher.serve(RemoveSource, lambda command: None)
    signals = Signals(context)
    signals.apply_lights(LightsSettings())
    signals.apply_profiles(
        (
            Profile(name="light", light=LightPart(pattern="Blink")),
            Profile(
                name="both",
                light=LightPart(pattern="Blink", priority=4),
                siren=SirenPart(pattern="Alarm: High pitch", priority=4),
            ),
            Profile(name="pulse", light=LightPart(pattern="Pulse", priority=9)),
        )
    )
    for profile, words in (("light", "light only"), ("both", "light and siren")):
        order = StartProfile(profile=profile)
        each = _timed(STARTS, lambda order=order: context.dispatcher.execute(order))
        print(f"StartProfile, {words}: {each * 1e6:.0f} µs")
    seen: list[object] = []
    signals.watch_frames(seen.append)
    context.dispatcher.execute(StartProfile(profile="pulse"))
    begun = thread_time()
    await asyncio.sleep(WATCHED)
    spent = thread_time() - begun
    signals.close()
    bare = await _bare(WATCHED / len(seen))
    print(
        f"Pulse on the loop: {len(seen) / WATCHED:.0f} frames/s, {spent / len(seen) * 1e6:.0f} µs"
        f" a frame, of which {bare * 1e6:.0f} µs are a wake of the loop that does nothing;"
        f" {spent / WATCHED:.1%} of a core"
    )


async def _bare(interval: float) -> float:
    """Processor seconds of a wake of the loop and the kernel, with nothing to do."""
    times = round(WATCHED / interval)
    begun = thread_time()
    for _ in range(times):
        await asyncio.sleep(interval)
    return (thread_time() - begun) / times


def _take(command: AddSource) -> None:
    assert command.refill is not None
    command.refill(2880)


def _timed(times: int, step: Callable[[], object]) -> float:
    """Seconds of one step, the best of three rounds."""
    rounds: list[float] = []
    for _ in range(3):
        begun = thread_time()
        for _ in range(times):
            step()
        rounds.append((thread_time() - begun) / times)
    return min(rounds)


if __name__ == "__main__":
    main()
