"""Clips in the page: added by button and by drop, compared, played, linked, renamed and deleted."""

import io
import math
import struct
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, FilePayload, Locator, Page, expect
from pytest_asyncio import fixture

from sipstrobe.commands import StartRecording
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.lightsiren.settings import Profile, SirenPart
from tests.browser.conftest import log_in
from tests.support.web import Device

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

NO_SOUND = FilePayload(name="song.mp3", mimeType="audio/mpeg", buffer=b"not a song" * 400)


def tone(name: str, level_db: float, seconds: float = 1.0) -> FilePayload:
    """A WAV file of 1 kHz: 8 kHz, one channel, 16 bits."""
    amplitude = 32767 * 10 ** (level_db / 20)
    count = round(8000 * seconds)
    samples = [round(amplitude * math.sin(math.tau * n / 8)) for n in range(count)]
    data = io.BytesIO()
    with wave.open(data, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack(f"<{count}h", *samples))
    return FilePayload(name=name, mimeType="audio/wav", buffer=data.getvalue())


@fixture(loop_scope="module")
async def device(context: Context, tmp_path: Path) -> AsyncIterator[Device]:
    device = Device.make(context, in_background=True, folder=tmp_path / "clips")
    device.recordings.folder = tmp_path / "recordings"
    device.recordings.folder.mkdir()
    yield device
    device.clips.close()
    await device.library.aclose()


@fixture(loop_scope="module")
async def url(device: Device) -> AsyncIterator[str]:
    async with device.served() as url:
        yield url


async def look(page: Page, url: str, name: str = "olga") -> None:
    await log_in(page, url, name)
    await page.click(".views a[href='#clips']")
    await expect(page.locator("#clips li").first).to_be_visible()


def no_microphone(order: StartRecording) -> None:
    assert order.source == "microphone"
    raise CommandRefused("no_microphone", "the microphone is off")


def clip(page: Page, name: str) -> Locator:
    return page.locator("#clips li").filter(has=page.get_by_text(name, exact=True))


async def test_files_are_added_and_what_is_no_sound_is_refused_in_full(
    page: Page, url: str, device: Device
) -> None:
    """MED-01, PRB-04."""
    await look(page, url)

    files = [NO_SOUND, tone("Gong.wav", -20), tone("Gong.wav", -21)]
    await page.set_input_files("#clip-files", files)

    refused = page.locator("#uploads .refused")
    await expect(refused.locator(".error")).to_contain_text("accepted are wav (8- or 16-bit PCM")
    gong = clip(page, "Gong")
    await expect(gong.locator(".format")).to_contain_text("1.0 s · wav 8 kHz mono · 16 kB")
    await expect(gong.locator(".lufs")).to_contain_text("LUFS")
    await expect(page.locator("#clip-quota small")).to_contain_text("of 500 MB")
    await refused.get_by_role("button", name="Dismiss").click()
    await expect(refused).to_have_count(0)
    await expect(page.locator("#accepted")).to_contain_text("accepted are wav")
    await expect(clip(page, "Gong 2")).to_be_visible()
    assert [one.name for one in device.store.current.clips] == ["Gong", "Gong 2"]


async def test_a_file_that_is_dropped_on_the_list_is_added(page: Page, url: str) -> None:
    await look(page, url)
    file = tone("Bell.wav", -20)
    transfer = await page.evaluate_handle(
        """bytes => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "Bell.wav"));
            return transfer;
        }""",
        list(file["buffer"]),
    )

    await page.dispatch_event("#drop", "dragenter", {"dataTransfer": transfer})
    await expect(page.locator("#drop.over")).to_be_visible()
    await page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})

    await expect(clip(page, "Bell")).to_be_visible()
    await expect(page.locator("#drop.over")).to_have_count(0)


async def test_who_is_much_louder_or_softer_than_the_others_is_marked(page: Page, url: str) -> None:
    """PRB-05, CLP-07."""
    await look(page, url)

    await page.set_input_files("#clip-files", [tone("Faint.wav", -40), tone("Gong.wav", -20)])

    faint, gong = (clip(page, name).locator(".marker") for name in ("Faint", "Gong"))
    await expect(faint).to_have_text("20 dB softer than the others")
    await expect(gong).to_have_text("20 dB louder than the others")
    await expect(clip(page, "Ding-dong").locator(".marker")).to_be_empty()
    await page.locator("label", has_text="Level clips").click()
    await expect(faint).to_be_empty()


async def test_a_clip_plays_as_often_as_wanted_until_it_is_stopped(
    page: Page, url: str, device: Device
) -> None:
    """CLP-06, CLP-08."""
    await look(page, url)
    row = clip(page, "Ding-dong")

    await row.locator("summary").click()
    await row.get_by_label("How often").select_option("until stopped")
    await row.get_by_label("Volume").fill("-10")
    await row.get_by_role("button", name="Play", exact=True).click()

    await expect(row.get_by_role("button", name="Stop Ding-dong")).to_be_visible()
    playing = device.clips.snapshot()[0]
    assert (playing["volume_db"], playing["rounds"]) == (-10.0, None)
    await page.click(".views a[href='#overview']")
    await expect(page.locator("#sounding")).to_have_text("Ding-dong")
    await page.click(".views a[href='#clips']")
    await page.reload()
    await row.get_by_role("button", name="Stop Ding-dong").click()
    await expect(row.get_by_role("button", name="Play Ding-dong")).to_be_visible()
    assert device.clips.snapshot() == []


async def test_a_link_plays_a_clip_so_loud_and_so_often(page: Page, url: str) -> None:
    """CLP-02."""
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await look(page, url)
    row = clip(page, "Ding-dong")

    await row.locator("summary").click()
    await row.get_by_label("How often").select_option("3 times")
    await row.get_by_label("Volume").fill("-6")
    await row.get_by_role("button", name="Copy link").click()

    link = f"{url}/axis-cgi/playclip.cgi?clip=28&volume=50&repeat=2"
    await expect(row.locator(".told")).to_contain_text(link)
    assert await page.evaluate("navigator.clipboard.readText()") == link


async def test_a_clip_is_renamed_and_only_deleted_when_nobody_needs_it(
    page: Page, url: str, device: Device
) -> None:
    await look(page, url)
    await page.set_input_files("#clip-files", [tone("Gong.wav", -20)])
    row = clip(page, "Gong")
    await row.locator("summary").click()
    await row.get_by_role("button", name="Rename").click()
    await page.locator("input.rename").fill("x" * 45)
    await page.keyboard.press("Enter")
    row = clip(page, "x" * 45)
    await expect(row).to_be_visible()
    needs = Profile(name="Needs it", siren=SirenPart(pattern="clip:" + "x" * 45))
    device.store.change_now({"profiles": [needs]})

    await row.get_by_role("button", name="Delete").click()
    await row.get_by_role("button", name="Really delete?").click()
    await expect(row.locator(".error")).to_contain_text("Needs it")

    device.store.change_now({"profiles": []})
    await row.get_by_role("button", name="Delete").click()
    await row.get_by_role("button", name="Really delete?").click()
    await expect(row).to_have_count(0)
    assert device.store.current.clips == ()


async def test_recordings_are_made_had_back_and_deleted(
    page: Page, url: str, device: Device, tmp_path: Path
) -> None:
    """AUD-05."""
    folder = tmp_path / "recordings"
    (folder / "first.wav").write_bytes(b"x" * 2000)
    (folder / "second.wav").write_bytes(b"x" * 1000)
    device.recordings.making = "second.wav"
    device.context.dispatcher.serve(StartRecording, no_microphone)
    await look(page, url)
    rows = page.locator("#recordings li")

    await expect(rows).to_have_count(2)
    await expect(rows.nth(1)).to_contain_text("Speaker · 2.5 s so far")
    await expect(page.locator("#recording-quota small")).to_have_text("3.0 kB of 500 MB")
    await page.locator("#record select").select_option("The microphone")
    await page.locator("#record button").click()
    await expect(page.locator("#record .error")).to_have_text("the microphone is off")
    async with page.expect_download() as download:
        await rows.nth(0).get_by_text("Download").click()
    assert (await (await download.value).path()).read_bytes() == b"x" * 2000
    await rows.nth(0).get_by_role("button", name="Delete").click()
    await rows.nth(0).get_by_role("button", name="Really delete?").click()
    await expect(rows).to_have_count(1)


async def test_a_viewer_may_play_nothing_and_add_nothing(page: Page, url: str) -> None:
    await look(page, url, "victor")

    await expect(page.locator("#clips .play").first).to_be_hidden()
    await expect(page.locator("#add-clip")).to_be_hidden()
    await expect(page.locator("#record")).to_be_hidden()
    await expect(page.locator("#toast")).to_be_hidden()


async def test_the_view_fits_a_phone(browser: Browser, url: str, tmp_path: Path) -> None:
    page = await browser.new_page(viewport={"width": 390, "height": 800})
    await look(page, url)
    name = "W" * 45 + ".wav"
    await page.set_input_files("#clip-files", [tone(name, -3), NO_SOUND])
    await expect(page.locator("#uploads .refused")).to_be_visible()
    await page.locator("#clips summary").first.click()

    await page.screenshot(path=tmp_path / "clips.png", full_page=True)

    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await page.close()
