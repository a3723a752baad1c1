"""Accounts, tokens and the trail in the interface: made, changed, ended, and who did it
(ACC-01…06)."""

import pytest
from playwright.async_api import Page, expect

from sipstrobe.config.access import Scope
from sipstrobe.config.users import Role
from sipstrobe.trace import Actor
from tests.browser.ui.conftest import ADMINISTRATOR, Axe, enter, go
from tests.support.waiting import until
from tests.support.web import PASSWORDS, Device

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]


async def test_an_account_is_made_by_the_rules_changed_and_deleted(
    page: Page, device: Device, axe: Axe
) -> None:
    """ACC-01…05: what a password may be is said first, and what is wrong stands at its field."""
    await go(page, "/users")
    await page.get_by_role("button", name="Add account").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_text("1 to 64 characters:")).to_be_visible()
    await dialog.get_by_label("Name").fill("olga")
    await dialog.get_by_label("Role").select_option("operator")
    await dialog.get_by_label("Password", exact=True).fill("größer")
    await dialog.get_by_label("Password, again").fill("größer")
    await page.keyboard.press("Enter")
    await expect(dialog.locator("[data-field=password] .error")).to_contain_text("Only letters")
    await dialog.get_by_label("Password", exact=True).fill("grey geese in March")
    await dialog.get_by_label("Password, again").fill("grey geese in March")
    await page.keyboard.press("Enter")
    await expect(dialog.locator("[data-field=name] .error")).to_have_text(
        "there is an account olga already"
    )
    await axe(page)
    await dialog.get_by_label("Name").fill("grace")
    await page.keyboard.press("Enter")
    row = page.locator("tr[data-row=grace]")
    await expect(row).to_contain_text("operator")

    await page.get_by_role("button", name="Edit grace").click()
    await dialog.get_by_label("Role").select_option("viewer")
    await dialog.get_by_label("Programs may sign in by Digest").press("Space")
    await dialog.get_by_role("button", name="Save").click()
    await expect(row).to_contain_text("viewer")
    await expect(row).to_contain_text("not allowed")
    await until(lambda: device.store.current == device.store.upcoming)
    grace = device.store.current.web.users[-1]
    assert (grace.name, grace.role, grace.digest) == ("grace", Role.VIEWER, False)
    assert grace.proves("grey geese in March")

    await page.get_by_role("button", name="Delete grace").click()
    await expect(dialog).to_contain_text("Its sessions end at once, and so do its tokens.")
    await dialog.get_by_role("button", name="Delete").click()
    await expect(row).to_have_count(0)
    await page.get_by_role("button", name="Delete ada").click()
    await expect(dialog).to_contain_text("you will be logged out at once")
    await dialog.get_by_role("button", name="Delete").click()
    await expect(page.locator(".toast", has_text="ada is the last administrator")).to_be_visible()


async def test_a_token_is_shown_once_and_the_trail_says_who_made_and_revoked_it(
    page: Page, device: Device, axe: Axe
) -> None:
    await go(page, "/users")
    await page.get_by_role("button", name="Make a token").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("Door bell")
    await dialog.get_by_label("Role").select_option("operator")
    await dialog.get_by_label("Look:").press("Space")
    await dialog.get_by_role("button", name="Make token").click()
    await expect(dialog.locator("[data-field=scopes] .error")).to_have_text("Choose at least one.")
    await dialog.get_by_label("Give orders:").press("Space")
    await dialog.get_by_label("It ends").select_option("never")
    await dialog.get_by_role("button", name="Make token").click()
    value = dialog.locator("[data-field=token] code")
    await expect(value).to_contain_text("sst_")
    await axe(page)
    secret = await value.inner_text()
    await dialog.get_by_role("button", name="I have copied it").click()
    row = page.locator("tr", has_text="Door bell")
    await expect(row).to_contain_text("not since the device started")
    assert secret not in await page.content()
    await until(lambda: device.store.current.web.tokens)
    [token] = device.store.current.web.tokens
    assert (token.owner, token.role, token.scopes) == ("ada", Role.OPERATOR, (Scope.COMMANDS,))

    await row.get_by_role("button", name="Revoke Door bell").click()
    await dialog.get_by_role("button", name="Revoke").click()
    await expect(page.get_by_text("No tokens yet")).to_be_visible()
    await until(lambda: device.store.current.web.tokens == ())

    await go(page, "/audit")
    entries = page.get_by_role("region", name="Entries").locator("tbody tr")
    await expect(entries.first).to_contain_text("Revokes a token")
    await page.get_by_label("Find").fill("ada makes a token")
    await expect(entries).to_have_count(1)
    await expect(entries).to_contain_text("done")
    await page.get_by_role("button", name="Verify the trail").click()
    await expect(page.locator(".audit-verify")).to_contain_text("Nothing was changed")
    await axe(page)


async def test_what_is_sought_is_found_however_old_it_is(page: Page, device: Device) -> None:
    """The trail is looked through as far as it goes, not only as far as it was shown."""
    note = device.audit.note
    note(Actor(way="account", who="zoe"), "POST /api/v1/backup", "done")
    for n in range(1200):
        note(Actor(way="account", who="olga"), f"POST /api/v1/commands/order-{n}", "done")
    await go(page, "/audit")
    entries = page.get_by_role("region", name="Entries").locator("tbody tr")
    await expect(entries.first).to_be_visible()
    await page.get_by_label("Find").fill("zoe")

    await expect(entries).to_have_count(1)
    await expect(entries).to_contain_text("backup")


async def test_whoever_only_looks_has_an_own_password_and_own_tokens_only(
    page: Page, url: str, axe: Axe
) -> None:
    """ACC-04: what a role may not do is not in the menu, and not behind its address."""
    await enter(page, url, "/users", name="victor")

    await expect(page.get_by_role("heading", name="Your account: victor")).to_be_visible()
    await expect(page.get_by_text("No tokens yet")).to_be_visible()
    await expect(page.get_by_role("heading", name="Accounts")).to_have_count(1)  # the page's own
    menu = page.get_by_role("navigation", name="Menu")
    await expect(menu.get_by_role("link", name="Accounts")).to_be_visible()
    await expect(menu.get_by_role("link", name="Who did what")).to_have_count(0)
    await axe(page)
    await go(page, "/audit")
    await expect(page.get_by_text("This page needs the role administrator")).to_be_visible()


async def test_nothing_piles_up_while_nobody_is_logged_in(page: Page, url: str) -> None:
    """What is looked at again and again waits, and is asked for once by whoever comes."""
    await page.clock.install()
    await enter(page, url, "/users")
    await expect(page.get_by_text("No tokens yet")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if one.url.endswith("/tokens") else None)
    answer = await page.context.request.post(f"{url}/api/v1/logout", data={"everywhere": True})
    assert answer.ok
    again = page.get_by_role("dialog", name="Log in again")
    await expect(again).to_be_visible()
    async with page.expect_response("**/api/v1/tokens"):
        await page.clock.run_for(15_000)
    await page.clock.run_for(600_000)
    await again.get_by_label("Password", exact=True).fill(PASSWORDS[ADMINISTRATOR])
    await page.keyboard.press("Enter")
    await expect(page.locator(".connection")).to_have_attribute("data-state", "live")

    assert len(asked) < 10  # in 41 turns
