"""Clips over HTTP: as resources, and as links and control programs know them (CLP-01, CLP-02)."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout, DigestAuthMiddleware, FormData
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.context import Context
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.events import ClipPlaying
from sipstrobe.lightsiren.settings import Profile, SirenPart
from sipstrobe.trace import Input
from sipstrobe.web.compat.media_clips import FORM_MAX_BYTES
from sipstrobe.web.exchange import Request
from sipstrobe.web.http import LEAST_PACE, PIECE_TIME
from sipstrobe.web.upload import upload_of
from tests.support.leap import LeapClock
from tests.support.sound_files import make_kind, tone
from tests.support.waiting import until
from tests.support.web import PASSWORDS, Device

CLIPS = "/api/v1/clips"
MEDIA = "/axis-cgi/mediaclip.cgi"
PLAY = "/axis-cgi/playclip.cgi"
STOP = "/axis-cgi/stopclip.cgi"


@pytest.fixture
async def device(context: Context, tmp_path: Path) -> Device:
    return Device.make(context, in_background=True, folder=tmp_path / "clips")


def as_user(name: str, url: str) -> ClientSession:
    return ClientSession(url, middlewares=(DigestAuthMiddleware(name, PASSWORDS[name]),))


@pytest.fixture
async def session(url: str) -> AsyncIterator[ClientSession]:
    async with as_user("olga", url) as session:
        await ask(session, "GET", CLIPS)  # from here on it has its challenge, and sends all once
        yield session


@pytest.fixture(scope="module")
def gong(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_kind(tmp_path_factory.mktemp("gong"), "mp3", tone(seconds=0.5)).read_bytes()


async def ask(session: ClientSession, method: str, path: str, **more: Any) -> tuple[int, Any]:
    async with session.request(method, path, **more) as response:
        body = await response.read()
        if response.content_type.endswith("json") and body:
            return response.status, json.loads(body)
        return response.status, body.decode("latin-1")


# --- resources ----------------------------------------------------------------------------------


async def test_a_clip_is_added_looked_at_renamed_had_back_and_deleted(
    session: ClientSession, gong: bytes
) -> None:
    async with session.post(CLIPS, params={"name": "Gong"}, data=gong) as response:
        assert response.status == 201
        assert response.headers["Location"] == f"{CLIPS}/0"
        added = await response.json()
    assert (added["number"], added["name"], added["format"]) == (0, "Gong", "mp3")
    assert added["loudness"] == pytest.approx(-15.5, abs=0.3)  # PRB-05
    assert added["playing"] is False

    status, listed = await ask(session, "GET", CLIPS)
    assert status == 200
    assert [c["name"] for c in listed["clips"]][:2] == ["Gong", "Ding-dong"]
    assert listed["used_bytes"] > len(gong)
    assert listed["quota_bytes"] == 500_000_000
    assert "accepted are wav" in listed["accepted"]
    status, renamed = await ask(session, "PATCH", f"{CLIPS}/0", json={"name": "Große Glocke"})
    assert (status, renamed["name"]) == (200, "Große Glocke")

    async with session.get(f"{CLIPS}/0/file") as response:
        assert await response.read() == gong
        assert response.content_type == "audio/mpeg"
        assert response.headers["Content-Disposition"] == (
            "attachment; filename*=UTF-8''Gro%C3%9Fe%20Glocke.mp3"
        )
    assert await ask(session, "DELETE", f"{CLIPS}/0") == (204, "")
    assert (await ask(session, "GET", f"{CLIPS}/0"))[0] == 404


async def test_a_form_names_the_clip_or_its_file_does(session: ClientSession, gong: bytes) -> None:
    long = "The bells of the old town, heard from the river at noon.mp3"
    for name, filename in (("Gong", "x.mp3"), (None, "Pausen gong.mp3"), (None, long)):
        form = FormData()
        if name:
            form.add_field("name", name)
        form.add_field("file", gong, filename=filename, content_type="audio/mpeg")
        status, _ = await ask(session, "POST", CLIPS, data=form)
        assert status == 201

    _, listed = await ask(session, "GET", CLIPS)
    names = [c["name"] for c in listed["clips"]][:3]
    assert names == ["Gong", "Pausen gong", "The bells of the old town, heard from the riv"]


async def test_who_sends_by_drops_does_not_keep_the_place(
    session: ClientSession, tmp_path: Path
) -> None:
    """Each is in time for the next, and all together are not."""
    clock, first = LeapClock(), bytes(3 << 19)

    def come() -> list[Path]:
        return [f for f in (tmp_path / "clips").glob("incoming-*") if f.stat().st_size]

    patience = PIECE_TIME + len(first) / LEAST_PACE

    async def drops() -> AsyncIterator[bytes]:
        yield first
        await until(come)
        for _ in range(round(patience / 20) + 2):
            clock.leap(20.0)
            yield b"x"
            await asyncio.sleep(0.02)
        await asyncio.Event().wait()

    async with session.post(CLIPS, data=drops(), timeout=ClientTimeout()) as response:
        assert response.status == 408

    await until(lambda: not come())


async def test_a_refused_file_is_told_what_is_accepted(session: ClientSession) -> None:
    """PRB-04."""
    status, problem = await ask(session, "POST", CLIPS, data=b"GIF89a" + bytes(3000))

    assert (status, problem["code"]) == (415, "format")
    assert "none of the known kinds; accepted are wav" in problem["detail"]
    assert "20 minutes and 100 MB" in problem["detail"]


async def test_a_body_that_is_too_long_is_refused_before_it_is_sent(
    session: ClientSession,
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 16)

    length = {"Content-Length": str(10**9)}
    status, _ = await ask(session, "POST", CLIPS, data=endless(), headers=length, expect100=True)

    assert status == 413


async def test_a_body_that_breaks_off_leaves_nothing(
    device: Device, url: str, gong: bytes, tmp_path: Path
) -> None:
    await device.library.ready()

    async def breaking() -> AsyncIterator[bytes]:
        yield gong[:3000]
        raise OSError("pulled the plug")

    async with as_user("olga", url) as session:
        await ask(session, "GET", CLIPS)  # the middleware has its challenge
        with pytest.raises(Exception):  # noqa: B017, PT011  whatever the client calls it
            await ask(session, "POST", CLIPS, data=breaking(), headers={"Content-Length": "9000"})

    await until(lambda: not list((tmp_path / "clips").iterdir()))


async def test_a_clip_that_a_profile_needs_is_not_deleted(
    session: ClientSession, device: Device, gong: bytes
) -> None:
    await ask(session, "POST", CLIPS, params={"name": "Gong"}, data=gong)
    profile = Profile(name="Break", siren=SirenPart(pattern="clip:Gong"))
    await device.change({"profiles": (profile,)})

    status, problem = await ask(session, "DELETE", f"{CLIPS}/0")

    assert (status, problem["code"]) == (409, "in_use")
    assert problem["detail"] == "the clip 'Gong' is needed by profile 'Break'"


async def test_a_clip_plays_and_stops(session: ClientSession, device: Device) -> None:
    status, told = await ask(session, "POST", f"{CLIPS}/28/play", json={"repeat": None})

    assert (status, told) == (201, {"playback": 1})
    assert list(device.sources) == ["clip 1: Ding-dong"]
    assert (await ask(session, "GET", f"{CLIPS}/28"))[1]["playing"] is True
    (playing,) = (await ask(session, "GET", "/api/v1/status"))[1]["clips"]
    assert (playing["clip"], playing["playback"], playing["rounds"]) == ("Ding-dong", 1, None)
    assert await ask(session, "POST", f"{CLIPS}/28/stop") == (204, "")
    assert device.sources == {}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("POST", f"{CLIPS}/28/play", {"volume_db": 30}, 400, "volume_db"),
        ("POST", f"{CLIPS}/28/play", {"repeat": 5000}, 400, "repeat"),
        ("POST", f"{CLIPS}/28/play", {"priority": 11}, 400, "priority"),
        ("POST", f"{CLIPS}/28/play", {"loud": 1}, 400, "loud"),
        ("POST", f"{CLIPS}/7/play", {}, 404, None),
        ("PATCH", f"{CLIPS}/x", {"name": "New"}, 404, None),
        ("PATCH", f"{CLIPS}/28", {"name": "New"}, 409, None),
        ("PATCH", f"{CLIPS}/28", {}, 400, "name"),
        ("DELETE", f"{CLIPS}/28", None, 409, None),
    ],
)
async def test_what_cannot_be_is_told_with_the_field(
    session: ClientSession, method: str, path: str, body: Any, status: int, field: str | None
) -> None:
    found, problem = await ask(session, method, path, json=body)

    assert (found, problem.get("field")) == (status, field)


async def test_viewers_look_and_listen_only(url: str, gong: bytes) -> None:
    async with as_user("victor", url) as viewer:
        assert (await ask(viewer, "GET", CLIPS))[0] == 200
        assert (await ask(viewer, "GET", f"{CLIPS}/28/file"))[0] == 200
        assert (await ask(viewer, "GET", PLAY, params={"clip": 28}))[0] == 200
        assert (await ask(viewer, "GET", STOP))[0] == 200
        for method, path in (
            ("POST", CLIPS),
            ("DELETE", f"{CLIPS}/28"),
            ("POST", f"{CLIPS}/28/play"),
            ("GET", MEDIA + "?action=play&clip=28"),
            ("POST", MEDIA + "?action=upload"),
        ):
            assert (await ask(viewer, method, path))[0] == 401
    async with ClientSession(url) as nobody:
        assert (await ask(nobody, "GET", PLAY, params={"clip": 28}))[0] == 401


async def test_whichever_way_a_clip_is_played_the_cause_is_who_has_asked(
    session: ClientSession, device: Device, gong: bytes
) -> None:
    roots: list[object] = []

    def note(event: ClipPlaying) -> None:
        assert device.context.trace.current is not None
        if event.playing:
            roots.append(device.context.trace.current.root.what)

    device.context.bus.subscribe(ClipPlaying, note)
    await ask(session, "POST", CLIPS, params={"name": "Gong"}, data=gong)

    await ask(session, "GET", PLAY, params={"clip": 0})
    await ask(session, "GET", STOP)
    await ask(session, "POST", f"{CLIPS}/0/play", json={})

    words = (f"GET {PLAY}", f"POST {CLIPS}/0/play")
    assert roots == [Input("http", f"{w} by olga from 127.0.0.1") for w in words]


# --- links --------------------------------------------------------------------------------------


async def test_a_link_plays_with_its_volume_and_repeats(
    session: ClientSession, device: Device
) -> None:
    """CLP-02: the page makes such links; repeat=2 is three times."""
    link = f"{MEDIA}?action=play&clip=28&volume=50&repeat=2"

    assert await ask(session, "GET", link) == (200, "OK\nplaying=28\n")

    (playing,) = device.clips.snapshot()
    assert playing["clip"] == "Ding-dong"
    assert playing["rounds"] == 3
    assert playing["volume_db"] == pytest.approx(-6.02, abs=0.01)
    assert await ask(session, "GET", f"{MEDIA}?action=stop") == (200, "OK\nstopping\n")
    assert device.sources == {}


@pytest.mark.parametrize("path", [PLAY + "?clip=28", STOP, MEDIA + "?action=play&clip=28"])
async def test_who_asks_for_the_head_of_a_link_plays_nothing_and_stops_nothing(
    session: ClientSession, device: Device, path: str
) -> None:
    """RFC 9110 §9.2.1: programs look at links before somebody follows them."""
    await ask(session, "GET", PLAY, params={"clip": 34})

    async with session.head(path) as head:
        assert (head.status, "HEAD" in head.headers["Allow"]) == (405, False)

    assert [playing["clip"] for playing in device.clips.snapshot()] == ["Beep"]


async def test_what_the_page_of_another_site_embeds_plays_nothing(
    session: ClientSession, device: Device
) -> None:
    """Browsers get an image from any address with the password they remember for it, and name no
    origin; but that it is for another site (W3C Fetch Metadata). A link may be followed."""
    embedded = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    followed = embedded | {"Sec-Fetch-Mode": "navigate"}

    assert (await ask(session, "GET", PLAY + "?clip=28", headers=embedded))[0] == 403
    assert device.clips.snapshot() == []
    assert (await ask(session, "GET", PLAY + "?clip=28", headers=followed))[0] == 200


@pytest.mark.parametrize(
    ("query", "called", "clip", "volume_db", "rounds"),
    [
        ("clip=34", "34", "Beep", 0.0, 1),
        ("clip=34&repeat=-1", "34", "Beep", 0.0, None),
        ("clip=34&volume=1000", "34", "Beep", 20.0, 1),
        ("clip=34&volume=0", "34", "Beep", -60.0, 1),
        ("clip=34&audiodeviceid=0&audiooutputid=0", "34", "Beep", 0.0, 1),
        ("clip=34&audiooutput=1", "34", "Beep", 0.0, 1),
        ("location=ding_dong.mp3", "ding_dong.mp3", "Ding-dong", 0.0, 1),
        ("location=/etc/audioclips/beep.wav", "/etc/audioclips/beep.wav", "Beep", 0.0, 1),
        ("location=ding*", "ding*", "Ding-dong", 0.0, 1),
    ],
)
async def test_the_arguments_of_playclip(
    session: ClientSession,
    device: Device,
    query: str,
    called: str,
    clip: str,
    volume_db: float,
    rounds: int | None,
) -> None:
    assert await ask(session, "GET", f"{PLAY}?{query}") == (200, f"OK\nplaying={called}\n")

    (playing,) = device.clips.snapshot()
    assert (playing["clip"], playing["rounds"]) == (clip, rounds)
    assert playing["volume_db"] == pytest.approx(volume_db)
    assert await ask(session, "GET", STOP) == (200, "OK\nstopping\n")
    assert device.clips.snapshot() == []


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (f"{PLAY}?clip=34&repeat=-1", "a message with & and = in it, of a camera"),
        (PLAY, "clip=34&repeat=-1"),
        (f"{MEDIA}?action=play&clip=34&repeat=-1", ""),
        (MEDIA, "action=play&clip=34&repeat=-1"),
    ],
)
async def test_what_can_be_got_can_be_posted(
    session: ClientSession, device: Device, path: str, form: str
) -> None:
    """vapix §2.1: in the address, or as a form."""
    assert await ask(session, "POST", path, data=form) == (200, "OK\nplaying=34\n")
    assert [(p["clip"], p["rounds"]) for p in device.clips.snapshot()] == [("Beep", None)]
    assert await ask(session, "POST", STOP) == (200, "OK\nstopping\n")
    assert device.clips.snapshot() == []


async def test_a_form_has_a_bound(session: ClientSession) -> None:
    status, told = await ask(session, "POST", MEDIA, data="action=play&x=" + "x" * FORM_MAX_BYTES)
    assert (status, "action is missing" in told) == (400, True)


async def test_a_star_draws_among_those_that_match(session: ClientSession, device: Device) -> None:
    for _ in range(40):
        await ask(session, "GET", f"{PLAY}?location=ring_tone*")
        await asyncio.sleep(0)
        if {p["clip"] for p in device.clips.snapshot()} == {"Ring tone 1", "Ring tone 2"}:
            return
        if len(device.sources) == 8:
            await ask(session, "GET", STOP)
    raise AssertionError("always the same")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (PLAY, "clip is missing"),
        (f"{PLAY}?clip=7", "there is no clip 7"),
        (f"{PLAY}?clip=x", "clip must be 0 to 9999"),
        (f"{PLAY}?location=nothing.mp3", "there is no clip 'nothing.mp3'"),
        (f"{PLAY}?clip=28&location=beep", "either clip or location"),
        (f"{PLAY}?clip=28&repeat=-2", "repeat must be -1 to 1000"),
        (f"{PLAY}?clip=28&volume=1001", "volume must be 0 to 1000"),
        (f"{PLAY}?clip=28&audiodeviceid=0", "come together"),
        (f"{PLAY}?clip=28&audiooutput=2", "no such audio output"),
        (f"{MEDIA}?action=record", "action must be one of play, stop"),
        (f"{MEDIA}?action=upload", "uploaded by POST"),
        (f"{MEDIA}?action=remove&clip=28", "stay as they are"),
        (f"{MEDIA}?action=update&clip=28", "name is missing"),
    ],
)
async def test_a_wrong_link_is_a_bad_request_in_words(
    session: ClientSession, path: str, words: str
) -> None:
    status, told = await ask(session, "GET", path)

    assert status == 400
    assert told.startswith("400 Bad Request\n")
    assert words in told


async def test_control_programs_upload_rename_download_and_remove(
    session: ClientSession, gong: bytes
) -> None:
    form = FormData()
    form.add_field("anything", gong, filename="gong.mp3")

    upload = f"{MEDIA}?action=upload&media=audio&name=Foo"
    assert await ask(session, "POST", upload, data=form) == (200, "OK\nuploaded=0\n")
    update = f"{MEDIA}?action=update&clip=0&name=Bar"
    assert await ask(session, "GET", update) == (200, "OK\nupdated=0\n")
    parameter = "/axis-cgi/param.cgi?action=update&MediaClip.M0.Name=Baz"
    assert await ask(session, "GET", parameter) == (200, "OK")
    assert "M0.Name=Baz\n" in (await ask(session, "GET", parameter.replace("update", "list")))[1]
    async with session.get(f"{MEDIA}?action=download&clip=0") as response:
        assert await response.read() == gong
    remove = f"{MEDIA}?action=remove&clip=0"
    assert await ask(session, "GET", remove) == (200, "OK\nremoved=0\n")
    status, told = await ask(session, "POST", upload, data=b"nothing")
    assert status == 400
    assert "accepted are wav" in told


@pytest.mark.parametrize("action", ["action=update&name=Bar", "action=remove"])
async def test_a_link_and_a_token_for_orders_play_clips_and_change_none(
    session: ClientSession, url: str, action: str
) -> None:
    """ACC-04: any page can lead a browser to a link; and clips are settings to tokens."""
    browser = {"Accept-Language": "en"}
    token = {"name": "bell", "role": "operator", "scopes": ["commands"]}
    async with session.post("/api/v1/tokens", json=token) as made:
        bearer = {"Authorization": "Bearer " + (await made.json())["token"]}

    assert (await ask(session, "GET", f"{MEDIA}?clip=28&{action}", headers=browser))[0] == 403
    async with ClientSession(url, headers=bearer) as program:
        play = f"{MEDIA}?action=play&clip=28"
        assert await ask(program, "GET", play) == (200, "OK\nplaying=28\n")
        status, told = await ask(program, "GET", f"{MEDIA}?clip=28&{action}")
    assert (status, told) == (403, "403 Forbidden\nthis token is not for settings\n")


async def test_control_programs_see_clips_as_siren_patterns(
    session: ClientSession, device: Device, gong: bytes
) -> None:
    """PRF-13: those that people have added are offered, those of every device can be used too."""
    await ask(session, "POST", CLIPS, params={"name": "Gong"}, data=gong)

    async def call(method: str, **params: Any) -> Any:
        body = {"apiVersion": "1.0", "method": method, "params": params}
        return (await ask(session, "POST", "/axis-cgi/siren_and_light.cgi", json=body))[1]

    offered = (await call("getCapabilities"))["data"]["capabilities"]["siren"]["supportedPatterns"]
    assert offered[-1]["name"] == "clip:Gong"
    assert len(offered) == 30
    profile = {"name": "Break", "siren": {"pattern": "clip:Gong", "priority": 4}}
    assert "data" in await call("addProfile", **profile)
    assert "data" in await call("start", profile="Break")
    assert [s.kind.value for s in device.sources.values()] == ["siren"]
    assert "data" in await call("start", siren={"pattern": "clip:Ding-dong", "priority": 5})
    assert (await call("start", siren={"pattern": "clip:Nothing"}))["error"]["code"] == 2200


# --- forms as they come --------------------------------------------------------------------------


def form(*parts: tuple[str, str, bytes], end: bytes = b"--XX--\r\n") -> bytes:
    body = b""
    for name, filename, content in parts:
        file = f'; filename="{filename}"' if filename else ""
        head = f'--XX\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return body + end


async def received(body: bytes, cuts: list[int]) -> tuple[str, bytes]:
    async def pieces() -> AsyncIterator[bytes]:
        start = 0
        for cut in [*sorted({c % (len(body) + 1) for c in cuts}), len(body)]:
            if cut > start:
                yield body[start:cut]
                start = cut

    request = Request(
        method="POST",
        path=CLIPS,
        target=CLIPS,
        headers={"content-type": "multipart/form-data; boundary=XX"},
        content=pieces(),
    )
    upload = await upload_of(request)
    return upload.name, b"".join([piece async for piece in upload.content])


@given(
    content=st.binary(max_size=300) | st.just(b"\r\n--X\r\n--\r\n-") | st.just(b"\r\n" * 20),
    cuts=st.lists(st.integers(0, 1000), max_size=12),
)
def test_a_file_comes_whole_however_it_is_cut(content: bytes, cuts: list[int]) -> None:
    if b"\r\n--XX" in b"\r\n" + content:
        return
    body = b"preamble\r\n" + form(("name", "", b"Gong"), ("f", "x.wav", content))

    assert asyncio.run(received(body, cuts)) == ("Gong", content)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "does not end"),
        (b"nothing of the kind", "does not end"),
        (form(), "has no file"),
        (form(("name", "", b"Gong")), "has no file"),
        (form(("f", "x.wav", b"sound"), end=b""), "does not end"),
        (form(("name", "", bytes(2000))), "may have 1024 bytes"),
        (b"--XX\r\n" + bytes(9000), "malformed"),
        (b"--XX\r\nContent-Type: text/plain\r\n\r\nx\r\n--XX--", "has no name"),
        (form(*[("a", "", b"")] * 17), "too many parts"),
    ],
)
async def test_what_is_no_form_with_a_file_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        await received(body, [])
