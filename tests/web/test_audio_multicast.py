"""The audio multicast controller over real HTTP, as control programs speak to it."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware

from sipstrobe.context import Context
from sipstrobe.multicast.ranking import listed
from sipstrobe.multicast.settings import DeskPhoneSource, InternalSource, PageSource
from sipstrobe.rules.actions import StartProfile
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.secret import Secret
from tests.support.web import PASSWORDS, Device, FullDisk
from tests.web.conftest import PROFILES

API = "/config/rest/audio-multicast-ctrl/v1beta"
KEY = "0123456789abcdef" * 3 + "0123456789ab"  # 60 characters
EVAC = {"label": "Evac", "ipAddress": "239.1.2.3", "port": 5004}

FIRE = PageSource(
    label="Fire",
    address="239.1.1.1",
    port=5004,
    interface="lo",
    senders=("192.0.2.9",),
    profile="Evacuate",
)
DESKS = DeskPhoneSource(label="Desks", channel=26)
MUSIC = PageSource(label="Music 1", address="ff15::7", port=6000, latency="ultra_low")


@pytest.fixture
async def device(context: Context) -> Device:
    sources = (FIRE, DESKS, InternalSource(sound="clip"), MUSIC)
    return Device.make(
        context, in_background=True, profiles=PROFILES, multicast={"sources": sources}
    )


class Client:
    def __init__(self, session: ClientSession, url: str) -> None:
        self._session, self._url = session, url

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """The status, and the data of the answer or its error."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        async with self._session.request(method, self._url + path, data=data) as response:
            answer = await response.json()
        if response.status < 300:
            assert answer["status"] == "success"
            return response.status, answer.get("data")
        assert (answer["status"], set(answer["error"])) == ("error", {"code", "message"})
        return response.status, answer["error"]

    async def get(self, path: str = "") -> Any:
        status, data = await self.ask("GET", API + path)
        assert status == 200
        return data

    async def do(self, method: str, path: str, data: object = None) -> tuple[int, Any]:
        """The status, and the data of the answer or the number of its error."""
        body = None if data is None else {"data": data}
        status, answer = await self.ask(method, API + path, body)
        return status, answer if status < 300 else answer["code"]

    async def labels(self) -> list[str]:
        return [source["label"] for source in await self.get("/sources")]


@pytest.fixture
async def client(url: str) -> AsyncIterator[Client]:
    digest = DigestAuthMiddleware("ada", PASSWORDS["ada"])
    async with ClientSession(middlewares=(digest,)) as session:
        yield Client(session, url)


def stored(device: Device, label: str) -> PageSource:
    sources = device.store.current.multicast.sources
    return next(s for s in sources if isinstance(s, PageSource) and s.label == label)


# --- the controller ----------------------------------------------------------------------------


async def test_the_controller_is_switched_and_says_the_codec_that_is_set(
    client: Client, device: Device
) -> None:
    """MCC-01, MCC-02; of codecs that others do not know, the name is said as it is."""
    assert await client.get("/enabled") is False
    assert await client.do("PATCH", "/enabled", True) == (200, None)
    assert await client.do("PATCH", "/audioCodec", "PCMA") == (200, None)

    multicast = device.store.current.multicast
    assert (multicast.enabled, multicast.codec) == (True, "PCMA")
    device.store.change_now({"multicast": {"codec": "opus"}})
    assert await client.get("/audioCodec") == "opus"
    assert (await client.get())["enabled"] is True
    assert await client.do("PATCH", "", {"enabled": False, "audioCodec": "PCMU"}) == (200, None)
    assert device.store.current.multicast.codec == "PCMU"


async def test_all_that_has_a_rank_is_listed_with_it(client: Client) -> None:
    """GAP-16: what the device sounds itself too, named in the settings or not."""
    sources = await client.get("/sources")

    assert [s["prio"] for s in sources] == list(range(1, len(sources) + 1))
    fixed = {s["id"]: s["type"] for s in sources if s["type"] == "Internal"}
    assert {"SIP", "VAPIXMediaClip", "Desks"} <= set(fixed)
    assert [s["id"] for s in sources][-4:-1] == ["Fire", "Desks", "VAPIXMediaClip"]
    assert sources[-1] == {
        "id": sources[-1]["id"],
        "type": "Multicast",
        "label": "Music 1",
        "ipAddress": "ff15::7",
        "port": 6000,
        "prio": len(sources),
        "latencyProfile": "UltraLow",
    }
    assert await client.get(f"/sources/{sources[-1]['id']}") == sources[-1]
    assert (await client.get())["sources"] == sources


# --- sources -----------------------------------------------------------------------------------


async def test_a_source_is_added_with_a_key_that_nobody_sees_again(
    client: Client, device: Device
) -> None:
    """MCC-03…06, GAP-18."""
    wanted = EVAC | {"prio": 1, "latencyProfile": "Low", "srtpKey": KEY, "type": "Multicast"}

    status, made = await client.do("POST", "/sources", wanted)

    assert status == 201
    assert "srtpKey" not in made
    assert made == {k: v for k, v in wanted.items() if k != "srtpKey"} | {"id": made["id"]}
    assert (await client.get("/sources"))[0] == made
    source = stored(device, "Evac")
    assert (source.srtp_key, source.latency, source.id) == (Secret(KEY), "low", made["id"])
    assert await client.do("GET", f"/sources/{made['id']}/srtpKey") == (403, 2001)
    assert KEY not in str(await client.get())


async def test_changing_a_rank_moves_one_and_renumbers_the_others(
    client: Client, device: Device
) -> None:
    """The example of the reference: of A, B, C, A goes to 3."""
    before = await client.labels()

    assert await client.do("PATCH", "/sources/Fire/prio", 99) == (200, None)
    assert await client.labels() == [s for s in before if s != "Fire"] + ["Fire"]
    assert await client.do("PATCH", "/sources/SIP/prio", len(before)) == (200, None)
    assert (await client.labels())[-2:] == ["Fire", "SIP"]
    assert await client.do("PATCH", "/sources/Desks/prio", 1) == (200, None)
    assert (await client.labels())[0] == "Desks"
    assert DESKS in device.store.current.multicast.sources
    assert stored(device, "Fire") == FIRE, "nothing but the place has changed"


async def test_what_is_not_moved_need_not_be_named(client: Client, device: Device) -> None:
    """A list of the length that is allowed stays so when something in it is edited."""
    assert await client.do("PATCH", "/sources/Fire", {"port": 5006}) == (200, None)

    sources = device.store.current.multicast.sources
    assert [type(s) for s in sources].count(InternalSource) == 1
    assert len(listed(device.store.current.multicast)) > len(sources)


async def test_an_edit_leaves_what_this_interface_cannot_say(
    client: Client, device: Device
) -> None:
    wanted = {"ipAddress": "239.9.9.9", "port": 7000, "profile": "UltraLow", "label": "Flames"}

    assert await client.do("PATCH", "/sources/Fire", wanted) == (200, None)

    source = stored(device, "Flames")
    assert (source.address, source.port, source.latency) == ("239.9.9.9", 7000, "ultra_low")
    assert (source.senders, source.interface, source.profile) == (("192.0.2.9",), "lo", "Evacuate")


async def test_the_id_stays_when_the_label_changes(client: Client, device: Device) -> None:
    """Of a source that was made without an id, it is written down with the first rename."""
    music = (await client.get("/sources"))[-1]["id"]
    assert stored(device, "Music 1").id == ""

    assert await client.do("PATCH", f"/sources/{music}/label", "Jazz") == (200, None)
    assert await client.do("PATCH", f"/sources/{music}/label", "Blues") == (200, None)
    assert await client.get(f"/sources/{music}/label") == "Blues"
    status, again = await client.do("POST", "/sources", EVAC | {"label": "Music 1"})

    assert (status, again["id"] != music) == (201, True)
    device.store.change_now({"multicast": {"sources": [*listed(device.store.current.multicast)]}})
    assert await client.get(f"/sources/{music}/label") == "Blues"


async def test_ids_that_labels_make_differ_whatever_the_labels_are(
    client: Client, device: Device
) -> None:
    labels = ["SIP", "Süd", "S-d", "Süd 2", "—", "a/b", "a b"]
    sources = [PageSource(label=name, address="239.1.1.1", port=5004) for name in labels]
    sources.append(PageSource(label="X", id="S-d", address="239.1.1.1", port=5004))
    device.store.change_now({"multicast": {"sources": sources}})

    ids = {s["label"]: s["id"] for s in await client.get("/sources") if s["type"] == "Multicast"}
    device.store.change_now({"multicast": {"sources": sources[::-1]}})

    assert len(set(ids.values())) == len(labels) + 1
    assert ids["X"] == "S-d"
    for label, name in ids.items():
        assert await client.get(f"/sources/{name}/label") == label


async def test_a_source_is_removed_and_those_of_the_device_are_not(client: Client) -> None:
    """MCC-07."""
    assert await client.do("DELETE", "/sources/Fire") == (200, None)
    assert "Fire" not in await client.labels()
    assert await client.do("DELETE", "/sources/Fire") == (404, 2)
    assert await client.do("DELETE", "/sources/SIP") == (400, 5)
    assert await client.do("DELETE", "/sources/Desks") == (400, 5)
    assert await client.do("PATCH", "/sources/SIP", {"label": "Phone"}) == (400, 5)
    assert await client.do("PATCH", "/sources/Desks", {"port": 5004}) == (400, 5)
    assert await client.do("DELETE", "/sources") == (404, 1)


async def test_a_key_takes_the_cipher_that_this_interface_knows(
    client: Client, device: Device
) -> None:
    """GAP-18: 60 or 92 characters are AES-CM; what a device has of AES-GCM stays until then."""
    key = Secret("ab" * 28)
    gcm = PageSource(label="G", address="239.1.1.1", port=5004, srtp_key=key, cipher="AES_GCM")
    device.store.change_now({"multicast": {"sources": [gcm]}})

    assert await client.do("PATCH", "/sources/G/port", 5006) == (200, None)
    assert (stored(device, "G").srtp_key, stored(device, "G").cipher) == (key, "AES_GCM")
    assert await client.do("PATCH", "/sources/G/srtpKey", KEY) == (200, None)
    assert stored(device, "G").cipher == "AES_CM_HMAC_SHA1_80"
    assert await client.do("PATCH", "/sources/G/srtpKey", "") == (200, None)
    assert not stored(device, "G").srtp_key


@pytest.mark.parametrize(
    ("method", "path", "data", "error"),
    [
        ("POST", "/sources", {"label": "Evac"}, (400, 5)),
        ("POST", "/sources", EVAC | {"label": "Fire"}, (409, 6)),
        ("POST", "/sources", EVAC | {"label": "SIP"}, (409, 6)),
        ("PATCH", "/sources/Fire/label", "Desks", (409, 6)),
        ("POST", "/sources", EVAC | {"label": ""}, (400, 5)),
        ("POST", "/sources", EVAC | {"label": "x" * 32}, (400, 5)),
        ("POST", "/sources", EVAC | {"port": 1023}, (400, 5)),
        ("POST", "/sources", EVAC | {"port": "5004"}, (400, 5)),
        ("POST", "/sources", EVAC | {"ipAddress": "192.0.2.1"}, (400, 5)),
        ("POST", "/sources", EVAC | {"prio": 0}, (400, 5)),
        ("POST", "/sources", EVAC | {"prio": True}, (400, 5)),
        ("POST", "/sources", EVAC | {"srtpKey": KEY[:-1]}, (400, 5)),
        ("POST", "/sources", EVAC | {"srtpKey": "x" * 60}, (400, 5)),
        ("POST", "/sources", EVAC | {"id": "mine"}, (400, 5)),
        ("POST", "/sources", EVAC | {"type": "Internal"}, (400, 5)),
        ("POST", "/sources", EVAC | {"colour": "red"}, (400, 5)),
        ("POST", "/sources", [EVAC], (400, 5)),
        ("PATCH", "/sources/Fire/latencyProfile", "Fast", (400, 5)),
        ("PATCH", "/sources/Fire/id", "Flames", (400, 5)),
        ("PATCH", "/sources/Fire/type", "Internal", (400, 5)),
        ("PATCH", "/sources/Fire", {"senders": []}, (400, 5)),
        ("PATCH", "/sources/Nobody", {"port": 5004}, (404, 2)),
        ("PATCH", "/sources/Nobody/port", 5004, (404, 2)),
        ("GET", "/sources/Nobody", None, (404, 2)),
        ("PATCH", "/enabled", "yes", (400, 5)),
        ("PATCH", "/audioCodec", "MP3", (400, 5)),
        ("GET", "/volume", None, (404, 1)),
        ("GET", "/sources/Fire/port/more", None, (404, 1)),
        ("POST", "", EVAC, (404, 1)),
    ],
)
async def test_what_is_wrong_is_refused_and_changes_nothing(
    client: Client, device: Device, method: str, path: str, data: Any, error: tuple[int, int]
) -> None:
    before = device.store.revision

    assert await client.do(method, path, data) == error
    assert device.store.revision == before


async def test_a_refusal_says_the_field_in_the_words_of_this_interface(client: Client) -> None:
    def wrong(words: str) -> tuple[int, Any]:
        start = "Validation error: Trying to set 'sources' with invalid data: "
        return 400, {"code": 5, "message": start + words}

    async def add(**more: Any) -> tuple[int, Any]:
        return await client.ask("POST", f"{API}/sources", {"data": EVAC | more})

    group = "must be 224.0.0.0 to 239.255.255.255, or in ff00::/8 (path: /ipAddress)"
    assert await add(ipAddress="192.0.2.1") == wrong(group)
    port = "must be a whole number from 1024 to 65534 (path: /port)"
    assert await add(port=80) == wrong(port)
    keys = "must be 60 or 92 hexadecimal characters for AES_CM_HMAC_SHA1_80 (path: /srtpKey)"
    assert await add(srtpKey="abc") == wrong(keys)


async def test_a_source_that_is_called_like_one_of_the_device_hinders_nothing(
    client: Client, device: Device
) -> None:
    """The settings allow it; this interface gives no source such a label itself."""
    sip = PageSource(label="SIP", address="239.1.1.9", port=5004)
    device.store.change_now({"multicast": {"sources": [sip, FIRE]}})

    assert await client.do("POST", "/sources", EVAC) == (201, (await client.get("/sources"))[-1])
    assert await client.do("PATCH", "/sources/SIP/prio", 3) == (200, None)
    assert await client.do("PATCH", "/sources/SIP_2/port", 5006) == (200, None)
    assert await client.do("PATCH", "/sources/Fire/label", "SIP") == (409, 6)
    assert await client.do("PATCH", "/sources/Fire/label", "VAPIXAudio") == (409, 6)
    assert stored(device, "SIP").port == 5006


async def test_a_source_that_a_rule_waits_for_is_not_removed(
    client: Client, device: Device
) -> None:
    when = Condition(event="sound/page", match={"page": "Fire", "state": "active"})
    rule = Rule(name="Red", when=when, action=StartProfile(profile="Door"))
    device.store.change_now({"rules": [rule]})

    status, error = await client.ask("DELETE", f"{API}/sources/Fire")

    assert (status, error["code"]) == (400, 5)
    assert "there is no source of pages Fire" in error["message"]
    assert stored(device, "Fire") == FIRE


async def test_a_thousand_sources_have_room_for_those_of_the_device(
    client: Client, device: Device
) -> None:
    many = [PageSource(label=f"Room {n}", address="239.1.1.1", port=5004) for n in range(1000)]
    device.store.change_now({"multicast": {"sources": many}})

    assert await client.do("PATCH", "/sources/SIP/prio", 1003) == (200, None)
    assert await client.do("PATCH", "/sources/VAPIXMediaClip/prio", 500) == (200, None)
    assert await client.do("POST", "/sources", EVAC) == (201, (await client.get("/sources"))[-1])
    assert (await client.get("/sources/SIP/prio"), len(await client.labels())) == (1003, 1004)


# --- bodies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "There is no 'data' field in the request body"),
        (b'{"enabled": true}', "There is no 'data' field in the request body"),
        (b"[1]", "There is no 'data' field in the request body"),
        (b"{", "Validation error: the request body is not JSON"),
        (b'{"data":' + b"[" * 100_000, "Validation error: the request body is not JSON"),
        (b'{"data":' + b"9" * 10_000 + b"}", "Validation error"),
    ],
)
async def test_a_body_that_is_none_is_an_error_of_the_interface(
    client: Client, body: bytes, words: str
) -> None:
    status, error = await client.ask("PATCH", f"{API}/enabled", body)

    assert (status, error["code"]) == (400, 5)
    assert words in error["message"]


# --- others, and the disk ----------------------------------------------------------------------


async def test_of_many_at_once_each_is_answered_and_labels_stay_different(
    client: Client, device: Device
) -> None:
    asked = [EVAC | {"label": f"Room {n % 5}", "prio": 1} for n in range(10)]

    answers = await asyncio.gather(*(client.do("POST", "/sources", data) for data in asked))

    assert sorted(status for status, _ in answers) == [201] * 5 + [409] * 5
    labels = await client.labels()
    assert len([label for label in labels if label.startswith("Room")]) == 5
    assert [s["prio"] for s in await client.get("/sources")] == list(range(1, len(labels) + 1))


async def test_what_could_not_be_stored_is_an_internal_error(context: Context) -> None:
    disk = FullDisk()
    device = Device.make(context, in_background=True, files=disk)
    disk.full = True

    async with device.served() as url:
        digest = DigestAuthMiddleware("ada", PASSWORDS["ada"])
        async with ClientSession(middlewares=(digest,)) as session:
            client = Client(session, url)
            assert await client.do("POST", "/sources", EVAC) == (500, 0)
            assert await client.do("PATCH", "/enabled", True) == (500, 0)
            assert "Evac" not in await client.labels()


# --- export and import -------------------------------------------------------------------------


async def test_an_export_is_taken_over_by_another_device(client: Client, device: Device) -> None:
    """Secrets are left out; what there is keeps its own."""
    await client.do("PATCH", "/sources/Fire/srtpKey", KEY)
    await client.do("PATCH", "/enabled", True)
    status, export = await client.ask("GET", f"{API}/$export")
    assert (status, list(export)) == (200, ["audio-multicast-ctrl.v1"])
    assert KEY not in str(export)
    assert await client.ask("GET", "/config/rest/$export") == (200, export)
    assert await client.ask("GET", "/config/rest/$all") == (200, export)

    await client.do("DELETE", "/sources/Fire")
    await client.do("POST", "/sources", EVAC)
    await client.do("PATCH", "/enabled", False)
    body = {"data": export, "options": {"importType": "default"}}
    assert await client.ask("PATCH", f"{API}/$import", body) == (200, None)

    assert await client.get() == export["audio-multicast-ctrl.v1"]
    assert DESKS in device.store.current.multicast.sources
    body = {"data": {"enabled": False, "sources": [{"id": "Fire", "prio": 99}]}}
    assert await client.ask("PATCH", f"{API}/$import", body) == (200, None)
    assert (await client.labels())[-1] == "Fire"
    assert await client.get("/enabled") is False


async def test_an_import_is_taken_as_a_whole_or_not_at_all(client: Client, device: Device) -> None:
    before = device.store.revision
    fault = {"label": "Bad", "ipAddress": "192.0.2.1", "port": 5004}
    data = {"audio-multicast-ctrl.v1": {"enabled": True, "sources": [EVAC, fault]}}

    async def give(data: object, **options: str) -> tuple[int, int]:
        body = {"data": data, "options": options}
        status, error = await client.ask("PATCH", "/config/rest/$import", body)
        return status, error["code"]

    assert await give(data) == (400, 5)
    assert await give(data | {"ssh.v2": {}}) == (404, 1)
    assert await give({"audio-multicast-ctrl.v1": {"sources": {}}}) == (400, 5)
    assert await give({}, importType="everything") == (400, 5)
    assert await give({"audio-multicast-ctrl.v1": {"sources": [{"id": "SIP"}] * 1004}}) == (400, 5)
    gone = [{"id": "VAPIXGone", "type": "Internal"}]
    assert await give({"audio-multicast-ctrl.v1": {"sources": gone}}) == (404, 2)
    assert device.store.revision == before


# --- the framework around it -------------------------------------------------------------------


async def test_the_released_name_of_the_version_is_known_as_well(client: Client) -> None:
    other = API.replace("v1beta", "v1")

    assert await client.ask("GET", f"{other}/enabled") == (200, False)
    status, error = await client.ask("GET", API.replace("v1beta", "v2"))
    assert (status, error["code"]) == (404, 1)
    status, error = await client.ask("GET", "/config/rest/device-settings")
    assert (status, error["code"]) == (404, 1)


async def test_it_is_for_administrators(url: str, device: Device) -> None:
    nothing: dict[str, Any] = {}
    wiped = {"data": {"audio-multicast-ctrl.v1": nothing}, "options": {"importType": "default"}}
    for name in ("olga", "victor"):
        digest = DigestAuthMiddleware(name, PASSWORDS[name])
        async with ClientSession(middlewares=(digest,)) as session:
            client = Client(session, url)
            for method, path, data in (
                ("GET", "", None),
                ("GET", "/enabled", None),
                ("GET", "/sources/Fire", None),
                ("PATCH", "/enabled", True),
                ("PATCH", "/sources/Fire", {"port": 5006}),
                ("POST", "/sources", EVAC),
                ("DELETE", "/sources/Fire", None),
                ("GET", "/$export", None),
                ("PATCH", "/$import", {"enabled": True}),
                ("PATCH", "", nothing),
                ("PATCH", "/sources/Fire", nothing),
                ("PATCH", "/$import", nothing),
            ):
                assert await client.do(method, path, data) == (403, 2001), (method, path)
            assert await client.ask("GET", "/config/rest/$all") == (200, {})
            assert (await client.ask("PATCH", "/config/rest/$import", wiped))[0] == 403
    assert stored(device, "Fire") == FIRE
    async with ClientSession() as session, session.get(url + API) as response:
        assert response.status == 401
        assert "Digest" in response.headers["WWW-Authenticate"]


async def test_documents_tell_what_is_there_and_all_that_they_name_exists(url: str) -> None:
    digest = DigestAuthMiddleware("victor", PASSWORDS["victor"])
    async with ClientSession(middlewares=(digest,)) as session:

        async def get(path: str) -> Any:
            async with session.get(url + path) as response:
                assert response.status == 200, path
                return await response.json() if "json" in response.content_type else None

        found = await get("/config/discover")
        entry = found["apis"]["audio-multicast-ctrl"]["v1"]
        assert (entry["state"], entry["rest_api"]) == ("beta", API)
        assert entry["version"].startswith("1.0.0-beta")
        assert await get("/config/discover/apis") == found["apis"]
        one = await get("/config/discover/apis/audio-multicast-ctrl")
        assert one == {"audio-multicast-ctrl": {"v1": entry}}
        assert await get("/config/discover/apis/audio-multicast-ctrl/v1") == entry
        for name in ("doc", "model", "rest_openapi"):
            await get(entry[name])
        model = await get(entry["model"])
        assert model["root_entity"]["entities"]["sources"]["key_property"] == "id"
        openapi = await get(found["device"]["rest_openapi"])
        assert f"{API}/sources/{{id}}/latencyProfile" in openapi["paths"]
        async with session.get(f"{url}/config/discover/apis/ssh") as response:
            assert (response.status, (await response.json())["error"]["code"]) == (404, 1)
