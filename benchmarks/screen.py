"""When something is seen: a Chromium that shows the overview of a device, on the device's clock.

Both clocks are the machine's monotonic one. Where the page's begins is found by asking for it many
times and keeping the answer that came soonest.
"""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from playwright.sync_api import Browser, BrowserContext, Page, Playwright

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.interop.device import Device

ASKED = 200  # times for the page's clock
PATIENCE = 120_000  # ms; only there for what never comes
LOOKS = """
localStorage.language ??= "en";
localStorage.calm ??= "no";
window.seen = [];
const face = (n) => document.querySelector(`[data-face="${n}"]`)?.style.getPropertyValue("--level");
const looks = {
  interactive: () => document.querySelector("[data-profile] button:not([disabled])") !== null,
  call: () => document.querySelector("[data-call]") !== null,
  listed: () => document.querySelector('[data-function="SignalingLED"] [data-shown=yes]') !== null,
  light: () => [0, 1, 2, 3].some((n) => Number(face(n)) > 0),
};
const last = {};
const look = () => {
  for (const [name, is] of Object.entries(looks)) {
    const now = is();
    if (now !== (last[name] ?? false)) window.seen.push([name, now, performance.now()]);
    last[name] = now;
  }
};
new MutationObserver(look).observe(document, {
  subtree: true, childList: true, characterData: true, attributes: true,
});
"""
FACES = """async (seconds) => {
  const faces = [...document.querySelectorAll("[data-face]")], shown = [];
  const until = performance.now() + 1000 * seconds;
  while (performance.now() < until) {
    const now = await new Promise(requestAnimationFrame);
    const level = (face) => Number(face.style.getPropertyValue("--level") || 0);
    shown.push([performance.now(), faces.map(level)]);
  }
  return shown;
}"""
LOADED = """() => {
  const all = performance.getEntriesByType("resource");
  const files = all.filter((one) => one.name.includes("/static/"));
  const [page] = performance.getEntriesByType("navigation");
  return [files.length, [page, ...files].reduce((sum, one) => sum + one.encodedBodySize, 0)];
}"""


@contextmanager
def chromium(playwright: Playwright) -> Generator[Browser]:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
    yield browser
    browser.close()


def entered(browser: Browser, running: Device, **options: Any) -> BrowserContext:
    """A browser of its own that has logged in and has loaded nothing yet."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, **options)
    context.add_init_script(LOOKS)
    who = {"name": "admin", "password": running.password}
    url = f"http://127.0.0.1:{running.http}"
    assert context.request.post(f"{url}/api/v1/login", data=who).ok
    return context


def overview(context: BrowserContext, running: Device) -> Page:
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{running.http}/")
    page.wait_for_selector(".connection[data-state=live]", timeout=PATIENCE)
    page.wait_for_selector("[data-profile] button", timeout=PATIENCE)
    return page


def begins(page: Page) -> float:
    """When the page's clock was 0, by the machine's (seconds); to half a millisecond."""
    best, found = 1.0, 0.0
    for _ in range(ASKED):
        before = time.monotonic()
        there = page.evaluate("performance.now()") / 1000
        took = time.monotonic() - before
        if took < best:
            best, found = took, before + took / 2 - there
    return found


def changes(page: Page, name: str) -> Iterator[tuple[float, bool]]:
    """When, by the page's clock in seconds, this came and went."""
    for what, now, at in page.evaluate("window.seen"):
        if what == name:
            yield at / 1000, now


def delays(page: Page, name: str, sent: list[float]) -> list[float]:
    """Seconds from each of these instants until this had come."""
    zero = begins(page)
    came = np.array([zero + at for at, now in changes(page, name) if now])
    found = np.searchsorted(came, sent)
    assert found[-1] < len(came), f"{name}: the last was never seen"
    return [float(came[n] - at) for n, at in zip(found, sent, strict=True)]


def twin_share(page: Page, running: Device, seconds: float, frame: float) -> tuple[float, float]:
    """How the drawing lags behind the light (seconds), and the share of its frames that then show
    what the light's log has within one frame."""
    shown: list[Any] = page.evaluate(FACES, seconds)
    zero = begins(page)
    times = np.array([zero + at / 1000 for at, _ in shown])
    levels = np.array([sides for _, sides in shown]).round(3)
    log = [f for f in running.frames if f["function"] == "SignalingLED"]
    at = np.array([f["at"] for f in log])
    sides = np.array([[f["sides"][s]["level"] for s in "ABCD"] for f in log]).round(3)
    lags = np.arange(0.0, 0.120, 0.001)
    shares = [_share(times - lag, levels, at, sides, frame) for lag in lags]
    best = int(np.argmax(shares))
    return float(lags[best]), float(shares[best])


def _share(times: Any, levels: Any, at: Any, sides: Any, frame: float) -> float:
    first = np.searchsorted(at, times - frame, side="right") - 1
    last = np.searchsorted(at, times + frame, side="right")
    right = [
        bool((sides[max(0, a) : b] == level).all(axis=1).any())
        for a, b, level in zip(first, last, levels, strict=True)
    ]
    return float(np.mean(right))
