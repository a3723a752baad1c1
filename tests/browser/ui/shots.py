"""Pictures of every page, in both themes and three widths: stored, looked at and compared.

    python -m tests.browser.ui.shots             store them anew in tests/browser/ui/shots/
    python -m tests.browser.ui.shots --compare   which pages look otherwise than stored
    python -m tests.browser.ui.shots --out DIR [--language de] [PAGE …]   sharp ones, to look at

The device is made up (`shots_device`) and always made on the same day; the browser's clocks stand,
and so does all that moves. Text is drawn otherwise by other browsers, with other fonts, and by
machines that want the same ones fitted to their pixels otherwise: what is stored is compared only
where the same Chromium gives text the same measures, which `shots/made_with.json` has.
Debian's `chromium-headless-shell` and `fonts-dejavu-core` are what is needed.
"""

import argparse
import asyncio
import base64
import json
import re
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final, cast

from playwright.async_api import Browser, CDPSession, Page, Route, async_playwright, expect

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.ui.conftest import enter, go
from tests.browser.ui.shots_device import MOMENT, shown_device

STORED: Final = Path(__file__).parent / "shots"
MADE_WITH: Final = STORED / "made_with.json"
PAGES: Final = Path(__file__).parents[3] / "web-ui/src/pages.ts"
THEMES: Final = ("light", "dark")
HEIGHTS: Final = {390: 1700, 1280: 1400, 2200: 1400}  # CSS pixels, by the width
SCALES: Final = {390: 0.75, 1280: 0.5, 2200: 0.4}  # of what is stored
QUALITY: Final = 35  # of WebP, 0…100
FAMILIES: Final = (  # as in web-ui/src/ui
    'system-ui, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif',
    'ui-monospace, "DejaVu Sans Mono", monospace',
)
CELL: Final = 8  # stored pixels; what is smaller than that, as an edge of a letter, is not seen
STEP: Final = 24  # of 255: by how much a cell must be lighter or darker to be another one
SHARE: Final = 0.02  # of the cells that may be others

STILL: Final = """
performance.now = () => 1e6;
if (location.protocol !== "about:") {
    localStorage.setItem("theme", "%s");
    localStorage.setItem("language", "%s");
}
"""
NO_MOTION: Final = """
*, *::before, *::after {
    animation: none !important;
    transition: none !important;
    caret-color: transparent !important;
}
"""
MACHINE: Final = {  # of any
    "hardware": "aarch64",
    "cpus": 4,
    "memory_mb": 1024,
    "system": "Debian GNU/Linux 12",
    "kernel": "6.1",
    "host": "siren",
    "python": "3.11",
    "up_seconds": 86_400,
}
FACTS: Final[dict[str, dict[str, Any]]] = {  # of this machine, told otherwise
    "device": {
        "machine": MACHINE,
        "own_files": {"state": "intact", "words": "All files are as they were built."},
        "hints": [],
    },
    "time": {
        "sync": {
            "state": "synchronised",
            "words": "The clock is set by NTP.",
            "error_seconds": 0.002,
            "server": "192.0.2.123",
            "until_next": 900.0,
        }
    },
    "clients": {
        "total": 2,
        "clients": [
            {
                "protocol": "WebSocket over TLS",
                "address": "192.0.2.30",
                "port": 50112,
                "state": "active",
                "came": True,
                "user": "ada",
            },
            {
                "protocol": "SIP over TLS",
                "address": "192.0.2.77",
                "port": 5061,
                "state": "open",
                "came": False,
                "user": "",
            },
        ],
    },
}
READY: Final = {  # what a page shows once the device has told it all
    "/": '.overview-stage [role="meter"][aria-valuenow="-20"]',
    "/audio": ".audio-now li",
    "/media": "[data-clip]",
    "/schedules": ".schedules-agenda > :nth-child(7), td:last-child > ul .schedules-entry",
    "/calls": ".calls-history, table",
}
SETTLE: Final = 0.15  # seconds from one look to the next, of which two must be the same
LOOKS: Final = 40


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture that there is to be."""

    path: str  # "/sip"
    width: int
    theme: str

    @property
    def name(self) -> str:
        return f"{self.path.strip('/').replace('/', '-') or 'overview'}-{self.width}-{self.theme}"


def pages() -> list[str]:
    """The places of all pages, as the interface lists them."""
    return re.findall(r'\{ path: "([^"]+)"', PAGES.read_text("utf-8"))


# --- taking ---------------------------------------------------------------------------------------


@asynccontextmanager
async def opened(
    browser: Browser, url: str, width: int, theme: str, language: str = "en"
) -> AsyncGenerator[Page]:
    """A page of the device whose clock stands and in which nothing moves."""
    context = await browser.new_context(
        bypass_csp=True,  # for the style that stops what moves
        reduced_motion="reduce",
        timezone_id="Europe/Berlin",
        locale=language,
        viewport={"width": width, "height": HEIGHTS[width]},
    )
    page = await context.new_page()
    await page.clock.set_fixed_time(MOMENT)
    await page.add_init_script(STILL % (theme, language))
    for name, facts in FACTS.items():
        await page.route(f"**/api/v1/{name}", partial(_told, facts))
    await enter(page, url)
    await page.add_style_tag(content=NO_MOTION)
    yield page
    await page.goto("about:blank")
    await context.close()


async def _captured(session: CDPSession, wanted: dict[str, Any]) -> str:
    """In base64; Playwright itself takes no WebP."""
    answer = await session.send("Page.captureScreenshot", wanted)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return cast("dict[str, str]", answer)["data"]


async def _told(facts: dict[str, Any], route: Route) -> None:
    answer = await route.fetch()
    await route.fulfill(response=answer, json=(await answer.json()) | facts)


async def take(page: Page, shot: Shot, *, sharp: bool = False) -> bytes:
    """A picture of a page, once two in a row are the same: WebP as it is stored, or a sharp PNG."""
    await go(page, shot.path)
    await expect(page.locator(f'main[data-page="{shot.path}"] h1')).to_be_visible()
    await expect(page.locator("main .loading")).to_have_count(0)
    await expect(page.locator(READY.get(shot.path, "h1")).first).to_be_visible()
    session = await page.context.new_cdp_session(page)
    clip = {"x": 0, "y": 0, "width": shot.width, "height": HEIGHTS[shot.width]}
    wanted: dict[str, Any] = {"format": "webp", "quality": QUALITY}
    if sharp:
        wanted = {"format": "png"}
    wanted["clip"] = clip | {"scale": 1 if sharp else SCALES[shot.width]}
    before = b""
    for _ in range(LOOKS):
        now = base64.b64decode(await _captured(session, wanted))
        if now == before:
            break
        before = now
        await asyncio.sleep(SETTLE)
    await session.detach()
    return before


# --- comparing ------------------------------------------------------------------------------------

COMPARE: Final = """async ([stored, taken, cell, step]) => {
    const draw = async (data) => {
        const image = new Image();
        image.src = "data:image/webp;base64," + data;
        await image.decode();
        const canvas = document.createElement("canvas");
        canvas.width = Math.ceil(image.width / cell);
        canvas.height = Math.ceil(image.height / cell);
        const paper = canvas.getContext("2d");
        paper.imageSmoothingQuality = "high";
        paper.drawImage(image, 0, 0, canvas.width, canvas.height);
        return paper.getImageData(0, 0, canvas.width, canvas.height);
    };
    const [one, other] = await Promise.all([draw(stored), draw(taken)]);
    if (one.width !== other.width || one.height !== other.height) return 1;
    let differing = 0;
    for (let at = 0; at < one.data.length; at += 4) {
        const by = [0, 1, 2].map((n) => Math.abs(one.data[at + n] - other.data[at + n]));
        if (Math.max(...by) > step) differing += 1;
    }
    return differing / (one.width * one.height);
}"""


async def differing(blank: Page, stored: bytes, taken: bytes) -> float:
    """The share of a picture that is otherwise than stored. blank: a page without a policy."""
    pair = [base64.b64encode(data).decode() for data in (stored, taken)]
    return float(await blank.evaluate(COMPARE, [*pair, CELL, STEP]))


MEASURE: Final = """([families, text]) => families.flatMap((family) =>
    [400, 550, 600, 700].flatMap((weight) => [11, 12.3, 13.2, 15, 21].flatMap((size) => {
        const line = document.body.appendChild(document.createElement("span"));
        line.style.position = "absolute";
        line.style.whiteSpace = "pre";
        line.style.font = `${weight} ${size}px ${family}`;
        line.textContent = text;
        const { width, height } = line.getBoundingClientRect();
        line.remove();
        return [Math.round(100 * width) / 100, Math.round(100 * height) / 100];
    })))"""
SAMPLE: Final = "Sphinx of black quartz, judge my vow: 0123456789 AVATAR “fi” (Tö-ßW@) › · …"


async def drawn_with(browser: Browser, blank: Page) -> dict[str, object]:
    """What decides where a page breaks its lines: the browser, and how wide and high text is, in
    pixels. blank: a page without a policy."""
    text = await blank.evaluate(MEASURE, [FAMILIES, SAMPLE])
    return {"chromium": browser.version, "text": text}


async def cannot_compare(browser: Browser, blank: Page) -> str:
    """Why what is stored says nothing about this machine; empty: it does."""
    made = json.loads(await asyncio.to_thread(MADE_WITH.read_text, "utf-8"))
    here = await drawn_with(browser, blank)
    if here["chromium"] != made["chromium"]:
        return f"Chromium is {here['chromium']} and was {made['chromium']}"
    return "" if here["text"] == made["text"] else "text has other measures: of other fonts?"


# --- the command ----------------------------------------------------------------------------------


async def run(asked: argparse.Namespace) -> int:
    paths = asked.pages or pages()
    others = 0
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        blank = await browser.new_page()
        if asked.compare and (words := await cannot_compare(browser, blank)):
            print(f"not compared: {words}")
            paths = []
        for theme, width in product(THEMES, HEIGHTS if paths else ()):
            with tempfile.TemporaryDirectory() as folder:
                async with (
                    shown_device(Path(folder)) as url,
                    opened(browser, url, width, theme, asked.language) as page,
                ):
                    for path in paths:
                        others += await _one(page, blank, Shot(path, width, theme), asked)
        if not asked.compare and not asked.out:
            MADE_WITH.write_text(json.dumps(await drawn_with(browser, blank)) + "\n", "utf-8")
        await browser.close()
    return 1 if others else 0


async def _one(page: Page, blank: Page, shot: Shot, asked: argparse.Namespace) -> bool:
    """Take one, and do with it what is asked for; whether it is otherwise than stored."""
    taken = await take(page, shot, sharp=bool(asked.out))
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        (asked.out / f"{shot.name}-{asked.language}.png").write_bytes(taken)
        return False
    file = STORED / f"{shot.name}.webp"
    if not asked.compare:
        STORED.mkdir(exist_ok=True)
        file.write_bytes(taken)
        return False
    share = await differing(blank, file.read_bytes(), taken) if file.exists() else 1.0
    if share > SHARE:
        print(f"{shot.name}: {share:.1%} looks otherwise")
    return share > SHARE


def main() -> int:
    asking = argparse.ArgumentParser(prog="python -m tests.browser.ui.shots", description=__doc__)
    asking.add_argument("--compare", action="store_true", help="with what is stored")
    asking.add_argument("--out", type=Path, help="a folder for sharp ones; nothing is stored")
    asking.add_argument("--language", choices=("en", "de"), default="en")
    asking.add_argument("pages", nargs="*", help="such as /sip; all of them if none is named")
    return asyncio.run(run(asking.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
