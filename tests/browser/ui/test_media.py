"""Clips and recordings in the page: added by button and drop, compared, played, linked, deleted."""

import asyncio
import io
import math
import re
import struct
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, Locator, Page, Route, expect
from pytest_asyncio import fixture

from sipstrobe.commands import PlayClip, StartRecording
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.lightsiren.settings import Profile, SirenPart
from tests.browser.ui.conftest import Axe, enter, go
from tests.support.waiting import PATIENCE
from tests.support.web import Device

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

READ = "performance.getEntriesByType('resource').filter(e => e.name.endsWith('/clips')).length"
AFTER = f"""before => new Promise(done => {{
    const look = () => ({READ} > before ? done() : setTimeout(look, 20));
    look();
}})"""
NO_SOUND = FilePayload(name="song.mp3", mimeType="audio/mpeg", buffer=b"not a song" * 400)


def tone(name: str, level_db: float) -> FilePayload:
    """A WAV file with a second of 1 kHz: 8 kHz, one channel, 16 bits."""
    amplitude = 32767 * 10 ** (level_db / 20)
    samples = [round(amplitude * math.sin(math.tau * n / 8)) for n in range(8000)]
    data = io.BytesIO()
    with wave.open(data, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return FilePayload(name=name, mimeType="audio/wav", buffer=data.getvalue())


@fixture(loop_scope="module")
async def device(context: Context, tmp_path: Path) -> AsyncIterator[Device]:
    device = Device.make(context, in_background=True, folder=tmp_path / "clips")
    device.recordings.folder = tmp_path / "recordings"
    device.recordings.folder.mkdir()
    yield device
    device.clips.close()
    await device.library.aclose()


def clip(page: Page, name: str) -> Locator:
    return page.locator(f'[data-clip="{name}"]')


async def more(page: Page, name: str) -> Locator:
    await clip(page, name).get_by_role("button", name=f"More about {name}").click()
    return page.get_by_role("dialog")


def sure(page: Page) -> Locator:
    """The window that asks back."""
    return page.get_by_role("dialog", name=re.compile("^Delete "))


def no_microphone(order: StartRecording) -> None:
    assert order.source == "microphone"
    raise CommandRefused("no_microphone", "the microphone is off")


async def test_files_are_added_and_what_is_no_sound_is_refused_in_full(
    page: Page, url: str, device: Device, axe: Axe
) -> None:
    """MED-01, PRB-04, PRB-05, CLP-07."""
    await go(page, "/media")
    files = [NO_SOUND, tone("Gong.wav", -20), tone("Gong.wav", -21), tone("Faint.wav", -40)]
    await page.get_by_label("Sound files", exact=True).set_input_files(files)

    refused = page.locator(".media-refused")
    await expect(refused.locator(".error")).to_contain_text("accepted are wav (8- or 16-bit PCM")
    await expect(clip(page, "Gong")).to_contain_text("1 s · wav 8 kHz mono · 16 kB")
    await expect(clip(page, "Faint").locator(".badge")).to_contain_text("softer than the others")
    await expect(clip(page, "Ding-dong").locator(".badge")).to_have_count(0)
    await refused.get_by_role("button", name="Dismiss song.mp3").click()
    await expect(refused).to_have_count(0)
    assert [one.name for one in device.store.current.clips] == ["Gong", "Gong 2", "Faint"]
    await page.locator("label", has_text="Level clips").click()
    await page.get_by_role("button", name="Save").click()
    await expect(clip(page, "Faint").locator(".badge")).to_have_count(0)
    await axe(page)


async def test_a_file_that_is_dropped_is_added(page: Page, url: str) -> None:
    await go(page, "/media")
    drop = page.locator(".file-drop")
    await expect(drop).to_be_visible()
    transfer = await page.evaluate_handle(
        """bytes => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "Bell.wav"));
            return transfer;
        }""",
        list(tone("Bell.wav", -20)["buffer"]),
    )
    await drop.dispatch_event("drop", {"dataTransfer": transfer})

    await expect(clip(page, "Bell")).to_be_visible()


async def test_a_clip_plays_as_often_as_wanted_by_hand_and_by_link(
    page: Page, url: str, device: Device
) -> None:
    """CLP-02, CLP-06, CLP-08."""
    await go(page, "/media")
    dialog = await more(page, "Ding-dong")
    await dialog.get_by_label("How often").select_option(label="3 times")
    await dialog.get_by_label("Volume", exact=True).fill("-6")
    link = f"{url}/axis-cgi/playclip.cgi?clip=28&volume=50&repeat=2"
    await expect(dialog.locator("code")).to_have_text(link)
    await dialog.get_by_label("How often").select_option(label="until stopped")
    await dialog.get_by_role("button", name="Play", exact=True).click()
    await page.keyboard.press("Escape")

    stop = clip(page, "Ding-dong").get_by_role("button", name="Stop Ding-dong")
    await expect(stop).to_be_visible()
    playing = device.clips.snapshot()[0]
    assert (playing["volume_db"], playing["rounds"]) == (-6.0, None)
    await stop.click()
    await expect(clip(page, "Ding-dong").get_by_role("button", name="Play")).to_be_visible()
    assert device.clips.snapshot() == []


async def test_a_clip_is_renamed_and_only_deleted_when_nobody_needs_it(
    page: Page, url: str, device: Device
) -> None:
    await go(page, "/media")
    await page.get_by_label("Sound files", exact=True).set_input_files([tone("Gong.wav", -20)])
    dialog = await more(page, "Gong")
    await dialog.get_by_label("Name").fill("x" * 45)
    await dialog.get_by_role("button", name="Rename").click()
    await expect(clip(page, "x" * 45)).to_be_visible()
    needs = Profile(name="Needs it", siren=SirenPart(pattern="clip:" + "x" * 45))
    device.store.change_now({"profiles": [needs]})

    await dialog.get_by_role("button", name="Delete").click()
    await sure(page).get_by_role("button", name="Delete").click()
    await expect(page.locator(".toast")).to_contain_text("Needs it")
    device.store.change_now({"profiles": []})
    await dialog.get_by_role("button", name="Delete").click()
    await sure(page).get_by_role("button", name="Delete").click()
    await expect(clip(page, "x" * 45)).to_have_count(0)
    assert device.store.current.clips == ()


async def test_a_list_that_was_overtaken_is_not_shown(page: Page, url: str, device: Device) -> None:
    """What was asked first may be answered last."""
    asked, named = asyncio.Event(), asyncio.Event()

    async def overtaken(route: Route) -> None:
        answer = await route.fetch()
        if not asked.is_set():
            asked.set()
            await named.wait()
        await route.fulfill(response=answer)

    await go(page, "/media")
    await page.get_by_label("Sound files", exact=True).set_input_files([tone("Gong.wav", -20)])
    dialog = await more(page, "Gong")
    await page.route("**/api/v1/clips", overtaken)
    device.context.dispatcher.execute(PlayClip(clip="Ding-dong"))
    async with asyncio.timeout(PATIENCE):
        await asked.wait()
    await dialog.get_by_label("Name").fill("Bell")
    await dialog.get_by_role("button", name="Rename").click()
    await expect(clip(page, "Bell")).to_be_visible()

    read = await page.evaluate(READ)
    named.set()
    async with asyncio.timeout(PATIENCE):
        await page.evaluate(AFTER, read)
    await page.evaluate("new Promise(done => setTimeout(() => requestAnimationFrame(done), 100))")
    await page.unroute_all(behavior="wait")

    await expect(clip(page, "Bell")).to_be_visible()
    await expect(clip(page, "Gong")).to_have_count(0)


async def test_recordings_are_made_had_back_and_deleted_but_not_by_viewers(
    page: Page, url: str, device: Device, tmp_path: Path
) -> None:
    """AUD-05."""
    folder = tmp_path / "recordings"
    (folder / "first.wav").write_bytes(b"x" * 2000)
    (folder / "second.wav").write_bytes(b"x" * 1000)
    device.recordings.making = "second.wav"
    device.context.dispatcher.serve(StartRecording, no_microphone)
    await enter(page, url, "/media", name="olga")
    rows = page.locator(".media-recordings li")

    await expect(rows).to_have_count(2)
    await expect(rows.nth(1)).to_contain_text("2.5 s so far")
    await page.get_by_label("What is recorded").select_option(label="The microphone")
    await page.get_by_role("button", name="Record", exact=True).click()
    await expect(page.locator(".toast")).to_contain_text("the microphone is off")
    async with page.expect_download() as download:
        await rows.nth(0).get_by_text("Download").click()
    assert (await (await download.value).path()).read_bytes() == b"x" * 2000
    await rows.nth(0).get_by_role("button", name="Delete").click()
    await sure(page).get_by_role("button", name="Delete").click()
    await expect(rows).to_have_count(1)
    await enter(page, url, "/media", name="victor")
    await expect(clip(page, "Ding-dong")).to_be_visible()
    await expect(page.locator(".media-recordings, .file-drop")).to_have_count(0)
    await expect(page.get_by_role("button", name="Play")).to_have_count(0)
