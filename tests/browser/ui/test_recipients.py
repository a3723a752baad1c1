"""Recipients in the interface: made, tested in the server's words, and what waits (RCP-01…11)."""

from typing import Any

import pytest
from playwright.async_api import Page, expect
from pytest_asyncio import fixture

from sipstrobe.context import Context
from sipstrobe.secret import Secret
from sipstrobe.sending.settings import HttpRecipient, MailRecipient
from tests.browser.ui.conftest import Axe, enter, go, leave_with_care
from tests.support.waiting import until
from tests.support.web import Device, FakeOutbox

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

OPS = MailRecipient(
    name="ops", to=("ops@mail.example",), sender="horn@mail.example", server="mail.example"
)
VMS = HttpRecipient(name="VMS", url="https://vms.example/events", password=Secret("keep me"))


class Outbox(FakeOutbox):
    """A mail waits, and one has been sent."""

    def snapshot(self) -> dict[str, object]:
        return {"waiting": len(self.waiting), "failing": ["ops"][: len(self.waiting)], "results": 1}

    def messages(self) -> dict[str, object]:
        why = {"serial": 1, "at": "2030-01-01T08:00:00.000+00:00", "kind": "command"}
        why |= {"name": "start-profile", "items": {"profile": "Evacuate"}}
        message: dict[str, Any] = {"recipient": "ops", "kind": "mail", "rule": "Night"}
        message |= {"ordered": "2030-01-01T08:00:00.000+00:00", "attempts": 2, "why": [why]}
        waiting = {"failure": "mail.example refuses", "retry": "2030-01-01T08:05:00.000+00:00"}
        waiting["given_up"] = "2030-01-02T08:00:00.000+00:00"
        ended = {"id": "6-abc", "about": "Earlier", "sent": True, "words": "250 OK"}
        ended["ended"] = "2030-01-01T08:00:01.000+00:00"
        return {
            "waiting": [message | waiting | {"id": i, "about": "Door"} for i in self.waiting],
            "results": [message | ended],
        }


@fixture(loop_scope="module")
async def device(context: Context) -> Device:
    device = Device.make(context, in_background=True, recipients=(OPS, VMS))
    device.outbox = Outbox()
    return device


async def test_one_is_tested_and_what_waits_is_seen_and_removed(
    page: Page, device: Device, axe: Axe
) -> None:
    await go(page, "/recipients")
    ops = page.get_by_role("article", name="ops")
    await expect(ops.get_by_text("Does not arrive")).to_be_visible()
    await ops.get_by_role("button", name="Test ops").click()
    await expect(ops.get_by_role("status")).to_have_text(
        "It failed: the name mail.example is not found"
    )
    waiting = page.get_by_role("region", name="What waits")
    await expect(waiting.locator("tbody tr")).to_contain_text(["mail.example refuses"])
    await waiting.get_by_text("Why?").click()
    await expect(waiting.get_by_text("Start profile “Evacuate”")).to_be_visible()
    await axe(page)

    await waiting.get_by_role("button", name="Remove the message Door").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(waiting).to_have_count(0)
    assert device.outbox.waiting == []


async def test_one_is_made_changed_and_copied_and_secrets_stay(
    page: Page, device: Device, axe: Axe
) -> None:
    """RCP-01, RCP-05: a password that was entered goes along, and is never shown."""
    await go(page, "/recipients")
    await page.get_by_role("button", name="Add recipient").click()
    await page.get_by_role("button", name="Text over TCP").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name", exact=True).fill("VMS")
    await dialog.get_by_label("Server", exact=True).fill("panel.example")
    await dialog.get_by_label("Port", exact=True).fill("7000")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.locator('[data-field="/name"] .error')).to_have_text(
        "there is a recipient 'VMS' already"
    )
    await axe(page)
    await dialog.get_by_label("Name", exact=True).fill("Panel")
    await dialog.get_by_label("Name", exact=True).press("Enter")
    await expect(page.get_by_role("article", name="Panel")).to_contain_text("panel.example:7000")

    await page.get_by_role("button", name="Edit VMS").click()
    await dialog.get_by_label("URL", exact=True).fill("https://vms.example/other")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("article", name="VMS", exact=True)).to_contain_text("/other")
    await page.get_by_role("button", name="What to do with VMS").click()
    await page.get_by_role("menuitem", name="Copy").click()
    await expect(page.get_by_role("article", name="VMS 2")).to_be_visible()
    await until(lambda: len(device.store.current.recipients) == 4)
    _, vms, _, copied = device.store.current.recipients
    assert isinstance(vms, HttpRecipient)
    assert isinstance(copied, HttpRecipient)
    assert (vms.url, vms.password.reveal()) == ("https://vms.example/other", "keep me")
    assert copied.password.reveal() == "keep me"


async def test_operators_test_and_do_not_change(page: Page, url: str) -> None:
    await enter(page, url, "/recipients", name="olga")
    await page.reload()

    await expect(page.get_by_text("Only administrators change recipients")).to_be_visible()
    await expect(page.get_by_role("button", name="Test ops")).to_be_visible()
    await expect(page.get_by_role("button", name="Edit ops")).to_have_count(0)
    await expect(page.get_by_role("button", name="Add recipient")).to_have_count(0)


async def test_what_was_entered_is_not_lost_without_a_question(page: Page, device: Device) -> None:
    await go(page, "/recipients")
    edit = page.get_by_role("button", name="Edit VMS")
    dialog = page.get_by_role("dialog")
    url = dialog.get_by_label("URL", exact=True)
    await leave_with_care(page, edit, url, "https://vms.example/gone")

    await edit.press("Enter")
    await url.fill("https://vms.example/kept")
    await url.press("Enter")
    await expect(page.get_by_role("article", name="VMS")).to_contain_text("/kept")
    add = page.get_by_role("button", name="Add recipient")
    await add.press("Enter")
    await dialog.get_by_role("button", name="Text over TCP").press("Enter")
    await dialog.get_by_label("Server", exact=True).fill("panel.example")
    await page.keyboard.press("Escape")
    await dialog.get_by_role("button", name="Leave").press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(add).to_be_focused()
    assert [one.name for one in device.store.current.recipients] == ["ops", "VMS"]
