"""`sipstrobe --host`: another device from the command line, and who is not heard."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from sipstrobe.cli import main
from sipstrobe.clock import LoopClock
from sipstrobe.context import Context
from tests.support.web import PASSWORDS, Device
from tests.web.conftest import PROFILES

Type = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
async def device() -> Device:
    context = Context(LoopClock(asyncio.get_running_loop()))
    return Device.make(context, in_background=True, profiles=PROFILES)


@pytest.fixture
async def typed(
    device: Device, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Type]:
    """Type a command line for the device, as ada; its exit code, and what it says."""
    monkeypatch.setenv("SIPSTROBE_PASSWORD", PASSWORDS["ada"])
    monkeypatch.delenv("SIPSTROBE_TOKEN", raising=False)
    async with device.served() as url:

        async def type_in(*words: str, user: str = "ada") -> tuple[int, str, str]:
            host = url.replace("//", f"//{user}@") if user else url
            code = await asyncio.to_thread(main, ["--host", host, *words])
            said = capsys.readouterr()
            return code, said.out, said.err

        yield type_in


async def test_a_profile_is_started_and_seen(typed: Type) -> None:
    code, said, _ = await typed("order", "start-profile", "profile=Evacuate")
    assert (code, said.count('"function"')) == (0, 2)
    code, said, _ = await typed("status")

    assert code == 0
    assert "SignalingLED: Flash 3x of Evacuate, priority 9" in said


async def test_settings_and_accounts_are_shown_and_changed(typed: Type, device: Device) -> None:
    """What another device refuses is told with the field, as this one does."""
    assert (await typed("settings", "set", "/audio/volume_db", "-6"))[1] == (
        "changed /audio/volume_db\n"
    )
    assert (await typed("settings", "show", "/audio/volume_db"))[1] == "-6.0\n"
    code, _, complaint = await typed("settings", "set", "/audio/volume_db", "6")
    assert code == 1
    assert "/audio/volume_db" in complaint
    _, said, _ = await typed("account", "list")
    assert said.split()[::2] == ["ada", "olga", "victor"]
    await typed("account", "remove", "victor")
    assert [user.name for user in device.store.current.web.users] == ["ada", "olga"]


async def test_what_is_wrong_is_told_before_or_by_the_device(typed: Type) -> None:
    assert (await typed("order", "no-such"))[2].startswith("sipstrobe: /: there is no order")
    assert "no profile" in (await typed("order", "start-profile", "profile=X"))[2]
    assert "SIPSTROBE_TOKEN" in (await typed("status", user=""))[2]
    assert "without --host" in (await typed("settings", "export"))[2]
    with pytest.raises(SystemExit):
        await typed("doctor")


async def test_all_orders_are_listed_without_any_device(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["order"]) == 0
    assert "start-profile        profile=… [priority=…]" in capsys.readouterr().out
    assert main(["status"]) == 1
    assert "say which device" in capsys.readouterr().err
