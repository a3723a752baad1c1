"""The command line's way to the settings, whether a device runs on them or not."""

import asyncio
import json
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sipstrobe.config.store import Store
from sipstrobe.config.users import Role
from sipstrobe.context import Context
from sipstrobe.control import CALL_LIMIT, SOCKET, ControlServer, call, is_running
from sipstrobe.errors import ConfigError
from sipstrobe.events import SettingsChanged
from sipstrobe.services.settings import SettingsService
from tests.support.leap import LeapClock
from tests.support.waiting import turns


class Running:
    """A device as far as the command line can see one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = LeapClock()
        context = Context(self.clock)
        self.store = Store.open(folder)
        self.service = SettingsService(context, self.store)
        self.server = ControlServer(folder, self.store, self.service)
        self.told: list[str] = []
        context.bus.subscribe(SettingsChanged, lambda event: self.told.append(event.paths))

    async def do(self, what: str, **items: Any) -> Any:
        """As another process would ask."""
        return await asyncio.to_thread(call, self.folder, {"do": what, **items})

    async def say(self, line: bytes) -> bytes:
        """What comes back when somebody says this to the socket."""
        reader, writer = await asyncio.open_unix_connection(self.folder / SOCKET)
        try:
            writer.write(line)
            return await reader.read()
        finally:
            writer.close()


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    running = Running(tmp_path / "state")
    await running.server.start()
    yield running
    await running.server.aclose()
    await running.service.aclose()
    running.store.close()


async def test_a_setting_is_read_and_changed_while_the_device_runs(running: Running) -> None:
    assert await running.do("get", pointer="/sip/port") == 5060

    changed = await running.do("put", pointer="/sip/port", value=5070)

    assert changed == ["/sip/port"]
    assert running.store.current.sip.port == 5070
    assert running.told == ["/sip/port"], "the device hears of it like of any change"


async def test_every_problem_comes_back_with_its_path(running: Running) -> None:
    with pytest.raises(ConfigError) as wrong:
        await running.do("put", pointer="/sip/port", value=1)
    with pytest.raises(ConfigError) as unknown:
        await running.do("get", pointer="/sip/prot")
    with pytest.raises(ConfigError) as broken:
        await running.do("import", data="{")

    assert wrong.value.problems[0].path == "/sip/port"
    assert "/sip/prot" in str(unknown.value)
    assert "line 1" in str(broken.value)
    assert running.told == []


async def test_what_is_exported_can_be_imported(running: Running) -> None:
    exported = await running.do("export", secrets=False)
    await running.do("put", pointer="/device/name", value="Hall")

    changed = await running.do("import", data=exported)

    assert changed == ["/device/name"]
    assert running.store.current.device.name == "sipstrobe"


async def test_accounts_are_added_changed_and_removed(running: Running) -> None:
    for name, role, word in (
        ("anna", "administrator", "correct horse"),
        ("otto", "viewer", "battery"),
        ("otto", "operator", "staple battery"),
    ):
        await running.do("add-account", name=name, role=role, password=word)
    assert await running.do("accounts") == [["anna", "administrator"], ["otto", "operator"]]
    assert running.store.current.web.users[1].proves("staple battery")

    await running.do("remove-account", name="otto")

    assert [user.name for user in running.store.current.web.users] == ["anna"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"do": "remove-account", "name": "nobody"}, "there is no account 'nobody'"),
        ({"do": "add-account", "name": "o", "role": "boss", "password": "x"}, "no role 'boss'"),
        ({"do": "add-account", "name": "o", "role": "viewer", "password": ""}, "1 to 64"),
        ({"do": "add-account", "name": "ö", "role": "viewer", "password": "x"}, "/web/users"),
        ({"do": "dance"}, "does not know this request"),
        ({"do": "get"}, "does not know this request"),
        ([1, 2, 3], "does not know this request"),
    ],
)
async def test_what_cannot_be_done_is_answered_in_words(
    running: Running, request_: Any, words: str
) -> None:
    answer = json.loads(await running.say(json.dumps(request_).encode() + b"\n"))
    assert words in " ".join(map(str, answer["problems"][0]))


@pytest.mark.parametrize("line", [b"hello\n", b"\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n", b""])
async def test_whoever_speaks_otherwise_is_hung_up_on(running: Running, line: bytes) -> None:
    reader, writer = await asyncio.open_unix_connection(running.folder / SOCKET)
    writer.write(line)
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    assert await running.do("get", pointer="/sip/port") == 5060


async def test_a_line_without_an_end_is_given_up(running: Running) -> None:
    reader, writer = await asyncio.open_unix_connection(running.folder / SOCKET)
    writer.write(b"x" * 100)
    await turns()
    running.clock.leap(CALL_LIMIT)
    assert await reader.read() == b""
    writer.close()


async def test_a_disk_that_is_full_is_told(running: Running) -> None:
    (running.folder / "settings.json.new").mkdir()  # nothing can be written beside

    with pytest.raises(ConfigError, match="could not be stored"):
        await running.do("put", pointer="/sip/port", value=5070)
    assert running.store.current.sip.port == 5060


async def test_only_the_owner_can_open_the_socket(running: Running) -> None:
    assert stat.S_IMODE((running.folder / SOCKET).stat().st_mode) == 0o600


async def test_a_socket_left_behind_is_replaced_and_none_is_left_in_the_end(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(folder / SOCKET))
    assert not is_running(folder)

    running = Running(folder)
    await running.server.start()
    assert await asyncio.to_thread(is_running, folder)
    await turns()
    await running.server.aclose()

    assert not (folder / SOCKET).exists()
    running.store.close()


# --- no device runs ----------------------------------------------------------------------------


def test_settings_are_changed_at_rest(tmp_path: Path) -> None:
    assert call(tmp_path, {"do": "put", "pointer": "/sip/port", "value": 5070}) == ["/sip/port"]
    assert call(tmp_path, {"do": "get", "pointer": "/sip/port"}) == 5070

    exported = call(tmp_path, {"do": "export", "secrets": True})
    call(tmp_path, {"do": "add-account", "name": "a", "role": "administrator", "password": "x"})
    assert call(tmp_path, {"do": "accounts"}) == [["a", Role.ADMINISTRATOR]]
    assert call(tmp_path, {"do": "import", "data": exported}) == ["/web/users"]
    with pytest.raises(ConfigError, match="there is no account"):
        call(tmp_path, {"do": "remove-account", "name": "a"})


def test_a_folder_held_by_somebody_who_does_not_answer(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    with pytest.raises(ConfigError, match="is in use by a running device"):
        call(tmp_path, {"do": "accounts"})
    store.close()
