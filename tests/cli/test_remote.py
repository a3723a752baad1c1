"""`sipstrobe --host`: another device from the command line, and who is not heard."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from sipstrobe.cli import main
from sipstrobe.cli.watch import Watch
from sipstrobe.clock import LoopClock
from sipstrobe.commands import OperationId, StopOperations
from sipstrobe.context import Context
from sipstrobe.events import Function
from sipstrobe.web.describe import command_json
from tests.support.ports import free_port
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
    assert (await typed("order", "no-such"))[2].startswith("sipstrobe: there is no order")
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


async def test_the_device_is_named_before_the_subcommand_or_after_it(
    device: Device, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIPSTROBE_PASSWORD", PASSWORDS["ada"])
    async with device.served() as url:
        words = ["status", "--host", url, "--user", "ada"]
        assert await asyncio.to_thread(main, words) == 0
    assert "SignalingLED: nothing" in capsys.readouterr().out


async def test_of_a_section_only_what_changes_is_sent(
    typed: Type, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else an operator is refused for what he does not change, by the name of that."""
    monkeypatch.setenv("SIPSTROBE_PASSWORD", PASSWORDS["olga"])
    code, said, complaint = await typed("settings", "set", "/sip/port", "5099", user="olga")
    assert (code, said) == (1, "")
    assert complaint.startswith("sipstrobe: /sip/port: ")
    monkeypatch.setenv("SIPSTROBE_PASSWORD", PASSWORDS["ada"])
    port = '{"name": "Door", "direction": "output"}'

    assert (await typed("settings", "set", "/ports/port_2", port))[0] == 0
    assert device.store.current.ports.port_2.name == "Door"
    await typed("settings", "set", "/ports/port_2", '{"direction": "output"}')
    assert device.store.current.ports.port_2.name == "", "what is left out gets its default"


async def test_who_is_not_there_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIPSTROBE_PASSWORD", "x")
    url = f"http://127.0.0.1:{free_port()}"
    assert await asyncio.to_thread(main, ["--host", url, "--user", "ada", "status"]) == 1
    assert capsys.readouterr().err == f"sipstrobe: {url}: Connection refused\n"


# --- watch -------------------------------------------------------------------------------------


def event(at: float, name: str, **items: object) -> dict[str, object]:
    return {"chain": [{"at": at, "kind": "event", "name": name, "items": items}]}


def test_only_what_happens_from_now_on_is_watched() -> None:
    """The feed begins with the last hundred events, which would look like news."""
    watch, noon = Watch(), datetime(2026, 11, 23, 12, tzinfo=UTC)
    hello = {"type": "hello", "at": 500.0, "resumed": False}
    assert list(watch.lines_of(hello, noon)) == []

    events = [event(499.0, "old"), event(503.0, "call/state", active=True, line="")]
    told = list(watch.lines_of({"type": "events", "events": events, "skipped": 3}, noon))

    assert told == ["12:00:03  call/state active=true", "(3 more were left out)"]


def test_what_was_missed_is_told_later_also_after_a_reboot() -> None:
    """The monotonic clock of the device begins anew with the machine."""
    watch, noon = Watch(), datetime(2026, 11, 23, 12, tzinfo=UTC)
    list(watch.lines_of({"type": "hello", "at": 500.0}, noon))
    list(watch.lines_of({"type": "hello", "at": 560.0}, noon + timedelta(seconds=60)))
    missed = {"type": "events", "events": [event(530.0, "missed")], "skipped": 0}
    assert list(watch.lines_of(missed, noon)) == ["12:00:30  missed"]

    list(watch.lines_of({"type": "hello", "at": 5.0}, noon + timedelta(hours=1)))
    first = {"type": "events", "events": [event(6.0, "device/started")], "skipped": 0}
    assert list(watch.lines_of(first, noon)) == ["13:00:01  device/started"]


def test_an_operation_in_a_chain_is_called_as_in_its_url() -> None:
    """Not by what Python prints of it."""
    light, siren = (
        OperationId(function, 3) for function in (Function.SIGNALING_LED, Function.AUDIO_SPEAKER)
    )
    told = command_json(StopOperations(operations=(light, siren)))
    assert told["name"] == "stop-operations"
    assert told["items"] == {"operations": "SignalingLED/3, AudioSpeaker/3", "tolerant": False}
