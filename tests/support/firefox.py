"""Debian's Firefox without a window, driven by WebDriver BiDi over its WebSocket.

Playwright drives a Firefox of its own only: the one that people have knows less of BiDi than it
asks for.
"""

import asyncio
import base64
import json
import os
import shutil
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from tests.support.waiting import PATIENCE, until

PROGRAM: Final = shutil.which("firefox-esr") or shutil.which("firefox")
MESSAGE_MAX: Final = 64 << 20  # bytes; a picture is one message
ENDS_WITHIN: Final = 10.0  # seconds
LOOK: Final = 0.02  # seconds from one look at a page to the next
STOPS_MAX: Final = 200  # of the Tab key in a page

PREFERENCES: Final[Mapping[str, object]] = {
    # Nothing is asked of the internet, and nobody is asked anything.
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "signon.rememberSignons": False,
    # Without a window a page has the focus and is in sight all the same.
    "focusmanager.testmode": True,
    "layout.testing.top-level-always-active": True,
    "intl.accept_languages": "en",
    # A microphone is there, may be used, and hears a steady tone.
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
}
KEYS: Final = {  # as WebDriver §17.4.2 names them
    "Tab": "\ue004",
    "Enter": "\ue007",
    "Shift": "\ue008",
    "Space": " ",
}

# What a policy forbids is told to nobody but the page.
TELL_VIOLATIONS: Final = """() => addEventListener("securitypolicyviolation", (event) =>
    console.error(`${event.violatedDirective} forbids ${event.blockedURI}`))"""
CALL: Final = """async (...given) => {
    return JSON.stringify((await (%s)(...given.map((one) => JSON.parse(one)))) ?? null);
}"""
# Which key leads from the focus to what has this name: none where it is, "" if there is no such.
# From the last stop of a page the focus would go to the browser around it.
WAY: Final = """(name) => {
    const window = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document;
    const named = ({ ariaLabel, labels, textContent, firstChild }) =>
        [ariaLabel, labels?.[0]?.textContent, textContent, firstChild?.textContent]
            .some((words) => words?.trim() === name);
    const wanted = [...window.querySelectorAll("a, button, input, select")]
        .find((one) => !one.disabled && one.checkVisibility() && named(one));
    if (!wanted) return "";
    if (wanted === document.activeElement) return "here";
    const way = document.activeElement.compareDocumentPosition(wanted);
    return way & Node.DOCUMENT_POSITION_PRECEDING ? "back" : "on";
}"""
SHOWS: Final = """(selector, text) => {
    const seen = [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
    return seen.length === 1 && seen[0].textContent.includes(text);
}"""


class BrowserError(Exception):
    """The browser has refused a command, or a script in it has thrown this."""


class Firefox:
    """One running browser. `tab` opens a page in it, with cookies and storage of its own."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._tabs: dict[str, Tab] = {}

    async def ask(self, method: str, **parameters: object) -> dict[str, Any]:
        """Give one command; its result. Raises BrowserError."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(PATIENCE):
            return await answer

    @asynccontextmanager
    async def tab(self, width: int = 1400, height: int = 1000) -> AsyncGenerator["Tab"]:
        """A page of this size, in CSS pixels; in the end all that it has stored is gone."""
        user = (await self.ask("browser.createUserContext"))["userContext"]
        await self.ask(
            "script.addPreloadScript", functionDeclaration=TELL_VIOLATIONS, userContexts=[user]
        )
        made = await self.ask("browsingContext.create", type="tab", userContext=user)
        tab = self._tabs[made["context"]] = Tab(self, made["context"])
        size = {"width": width, "height": height}
        await tab.ask("browsingContext.setViewport", viewport=size)
        await tab.ask("browsingContext.activate")
        try:
            yield tab
        finally:
            await self.ask("browser.removeUserContext", userContext=user)

    async def listen(self) -> None:
        """Take what the browser says, until it says no more."""
        async for message in self._socket:
            assert message.type is WSMsgType.TEXT, message
            said: dict[str, Any] = json.loads(message.data)
            if said["type"] == "event":
                self._hear(said["params"])
                continue
            answer = self._waiting.pop(said["id"])
            if answer.done():  # nobody waits any more
                continue
            if said["type"] == "success":
                answer.set_result(said["result"])
            else:
                answer.set_exception(BrowserError(f"{said['error']}: {said['message']}"))
        for left in self._waiting.values():
            left.cancel()

    def _hear(self, entry: dict[str, Any]) -> None:
        """Of the log (log.entryAdded)."""
        tab = self._tabs.get(entry["source"].get("context"))
        if tab is not None and entry["level"] == "error":
            tab.errors.append(str(entry["text"]))


@dataclass
class Tab:
    """A page, and what has gone wrong in it: errors of its scripts, and violated policies."""

    browser: Firefox
    context: str
    errors: list[str] = field(default_factory=list[str])

    async def ask(self, method: str, **parameters: object) -> dict[str, Any]:
        return await self.browser.ask(method, context=self.context, **parameters)

    async def goto(self, url: str) -> None:
        await self.ask("browsingContext.navigate", url=url, wait="complete")

    async def run(self, function: str, *given: object) -> Any:
        """What a function of JavaScript makes of these values, as JSON tells it.

        Raises BrowserError with what it throws.
        """
        answer = await self.browser.ask(
            "script.callFunction",
            functionDeclaration=CALL % function,
            target={"context": self.context},
            awaitPromise=True,
            userActivation=True,
            arguments=[{"type": "string", "value": json.dumps(one)} for one in given],
        )
        if answer["type"] == "exception":
            raise BrowserError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    async def until(self, function: str, *given: object) -> None:
        """Look again and again until a function says that it is so."""
        async with asyncio.timeout(PATIENCE):
            while not await self.run(function, *given):  # noqa: ASYNC110
                await asyncio.sleep(LOOK)

    async def shows(self, selector: str, text: str) -> None:
        """Wait until this is in sight with these words, and is the only one of that selector."""
        try:
            await self.until(SHOWS, selector, text)
        except TimeoutError:
            seen = await self.run("() => document.body.innerText")
            raise AssertionError(f"{selector} does not show {text!r}: {seen}") from None

    # --- the keyboard -----------------------------------------------------------------------------

    async def reach(self, name: str) -> None:
        """Press the Tab key until what has this label, or these words, has the focus."""
        try:
            await self.until(WAY, name)
        except TimeoutError:
            seen = await self.run("() => document.body.innerText")
            raise AssertionError(f"there is no {name!r}: {seen}") from None
        for _ in range(STOPS_MAX):
            match await self.run(WAY, name):
                case "here":
                    return
                case "back":
                    await self._keys(("keyDown", "Shift"))
                    await self.press("Tab")
                    await self._keys(("keyUp", "Shift"))
                case _:
                    await self.press("Tab")
        raise AssertionError(f"the Tab key does not lead to {name!r}")

    async def press(self, *keys: str) -> None:
        """Press and let go of keys, one after the other: signs, or names of KEYS."""
        await self._keys(*((step, key) for key in keys for step in ("keyDown", "keyUp")))

    async def hold(self, key: str) -> None:
        await self._keys(("keyDown", key))

    async def let_go(self, key: str) -> None:
        await self._keys(("keyUp", key))

    async def _keys(self, *steps: tuple[str, str]) -> None:
        actions = [{"type": step, "value": KEYS.get(key, key)} for step, key in steps]
        keyboard = {"type": "key", "id": "keyboard", "actions": actions}
        await self.ask("input.performActions", actions=[keyboard])

    # --- the eye ----------------------------------------------------------------------------------

    async def picture(self) -> bytes:
        """What is in sight, as PNG."""
        return base64.b64decode((await self.ask("browsingContext.captureScreenshot"))["data"])


@asynccontextmanager
async def firefox(folder: Path) -> AsyncGenerator[Firefox]:
    """Start one in a folder of its own; it ends with this."""
    assert PROGRAM, "there is no Firefox: install firefox-esr"
    profile = folder / "profile"
    await asyncio.to_thread(_prepare, profile)
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        *("--headless", "--remote-debugging-port", "0", "--profile", str(profile)),
        env=os.environ | {"HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with ClientSession() as session:
            url = await _door(profile, process)
            async with session.ws_connect(url, max_msg_size=MESSAGE_MAX) as socket:
                browser = Firefox(socket)
                listening = asyncio.create_task(browser.listen())
                await browser.ask("session.new", capabilities={})
                await browser.ask("session.subscribe", events=["log.entryAdded"])
                yield browser
                await browser.ask("browser.close")
                await listening
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDS_WITHIN):
                await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _door(profile: Path, process: asyncio.subprocess.Process) -> str:
    """The URL of its WebSocket, which it writes into its profile."""
    told = profile / "WebDriverBiDiServer.json"
    where: dict[str, Any] = {}

    def opened() -> bool:
        with suppress(OSError, ValueError):  # there is none yet, or half of it
            where.update(json.loads(told.read_bytes()))
        return bool(where) or process.returncode is not None

    await until(opened)
    assert where, f"Firefox has ended at once, with {process.returncode}"
    return f"ws://{where['ws_host']}:{where['ws_port']}/session"


def _prepare(profile: Path) -> None:
    profile.mkdir(parents=True)
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in PREFERENCES.items()]
    (profile / "user.js").write_text("".join(lines))
