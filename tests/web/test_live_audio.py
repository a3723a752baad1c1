"""Live audio over HTTP, as control programs send it and hear it: GAP-16."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.errors import CommandRefused
from sipstrobe.web.http10 import HEAD_MAX, UnframedBody
from tests.support.waiting import until
from tests.support.web import PASSWORDS, Device

PATH = "/axis-cgi/audio/transmit.cgi"
RECEIVE = "/axis-cgi/audio/receive.cgi"
SOUND = bytes(range(256)) * 40
BASIC = {"Content-Type": "audio/basic"}


async def transmit(url: str, query: str = "", user: str = "olga", **more: Any) -> tuple[int, str]:
    digest = DigestAuthMiddleware(user, PASSWORDS[user], preemptive=False)
    options: dict[str, Any] = {"data": SOUND, "headers": BASIC} | more
    async with (
        ClientSession(url, middlewares=(digest,)) as session,
        session.post(PATH + query, **options) as response,
    ):
        return response.status, await response.text()


async def in_pieces(device: Device) -> AsyncIterator[bytes]:
    """The next one only when the last has been heard."""
    for start in range(0, len(SOUND), 1000):
        yield SOUND[start : start + 1000]
        await until(lambda end=start + 1000: len(device.stream.content) >= min(end, len(SOUND)))


async def test_sound_is_heard_as_it_comes_and_answered_when_it_ends(
    device: Device, url: str
) -> None:
    digest = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    async with ClientSession(url, middlewares=(digest,)) as session:
        await session.get("/api/v1/status")  # for a nonce: what is sent live is sent once
        async with session.post(PATH, data=in_pieces(device), headers=BASIC) as response:
            assert (response.status, await response.text()) == (200, "OK\n")
            assert response.content_type == "text/plain"

    assert device.stream.content == SOUND
    assert device.stream.heard == [("audio/basic", "olga at 127.0.0.1")]


async def test_operators_may_and_viewers_may_not(device: Device, url: str) -> None:
    """Whoever speaks is heard by a whole building."""
    assert (await transmit(url, user="victor"))[0] == 401
    assert device.stream.heard == []
    assert (await transmit(url))[0] == 200
    assert (await transmit(url, "?audiodeviceid=0&audiooutputid=0"))[0] == 200


@pytest.mark.parametrize(
    ("code", "status", "first"),
    [
        ("unknown_type", 415, "415 Unsupported Media Type"),
        ("busy", 503, "503 Service Unavailable"),
        ("too_many_sources", 503, "503 Service Unavailable"),
        ("stalled", 408, "408 Request Timeout"),
    ],
)
async def test_a_refusal_is_a_line_of_text(
    device: Device, url: str, code: str, status: int, first: str
) -> None:
    device.stream.problem = CommandRefused(code, "that is why")
    assert await transmit(url) == (status, f"{first}\nthat is why\n")


async def test_another_output_is_refused(device: Device, url: str) -> None:
    status, words = await transmit(url, "?audiodeviceid=1&audiooutputid=0")
    assert (status, words) == (400, "400 Bad Request\nthere is no such audio output\n")
    assert device.stream.heard == []


@pytest.mark.parametrize(
    "head",
    [
        "POST {path} HTTP/1.0\r\n",  # without a length, against RFC 1945 §7.2.2
        "POST {path}?audiooutput=1 HTTP/1.0\r\n",
        "POST {path} HTTP/1.0\r\nContent-Length: 9999999\r\nConnection: Keep-Alive\r\n",
        "POST {path} HTTP/1.1\r\nContent-Length: 9223372036854775807\r\n",
    ],
)
async def test_who_knows_no_end_is_heard_until_he_closes_the_connection(
    device: Device, url: str, head: str
) -> None:
    async with ClientSession(url) as session:
        log_in = {"name": "olga", "password": PASSWORDS["olga"]}
        answer = await session.post("/api/v1/login", json=log_in)
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
    address = url.removeprefix("http://")
    host, _, port = address.partition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    headers = f"Host: {address}\r\nOrigin: {url}\r\nCookie: {cookie}\r\n"
    writer.write(f"{head.format(path=PATH)}{headers}Content-Type: audio/basic\r\n\r\n".encode())

    for start in range(0, len(SOUND), 1000):
        writer.write(SOUND[start : start + 1000])
        await until(lambda end=start + 1000: len(device.stream.content) >= min(end, len(SOUND)))
    writer.close()

    await until(lambda: device.stream.ended)
    assert device.stream.content == SOUND
    assert device.stream.ended == "the body breaks off"


async def test_who_transmits_does_not_hold_up_the_end_of_the_device(device: Device) -> None:
    """The connection is cut at once, and not only when there is no time left to wait."""
    async with device.served() as url:
        digest = DigestAuthMiddleware("olga", PASSWORDS["olga"])
        session = ClientSession(url, middlewares=(digest,))
        await session.get("/api/v1/status")

        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield SOUND
                await asyncio.sleep(0.01)

        sending = asyncio.ensure_future(session.post(PATH, data=endless(), headers=BASIC))
        await until(lambda: device.stream.content)

    assert device.stream.ended == "the body breaks off"
    await asyncio.gather(sending, return_exceptions=True)
    await session.close()


# --- the other way ------------------------------------------------------------------------------


async def test_the_microphone_is_heard_as_bare_g711(device: Device, url: str) -> None:
    device.microphone["input"] = "auto"
    digest = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    async with (
        ClientSession(url, middlewares=(digest,)) as session,
        session.get(RECEIVE + "?audiocodec=g711&httptype=singlepart") as response,
    ):
        assert (response.status, response.content_type) == (200, "audio/basic")
        assert await response.content.readexactly(80) == b"whistle!" * 10

    await until(lambda: device.listening == 0)


async def test_the_microphone_is_heard_in_parts_by_who_wants_them(device: Device, url: str) -> None:
    """vapix-audio §2: blocks of 512 bytes of G.711."""
    device.microphone["input"] = "auto"
    digest = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    part = b"--myboundary\r\nContent-Type: audio/basic\r\nContent-Length: 512\r\n\r\n"
    part += b"whistle!" * 64 + b"\r\n"
    async with (
        ClientSession(url, middlewares=(digest,)) as session,
        session.get(RECEIVE + "?httptype=multipart") as response,
    ):
        assert response.headers["Content-Type"] == "multipart/x-mixed-replace;boundary=myboundary"
        assert await response.content.readexactly(5 * len(part)) == 5 * part

    await until(lambda: device.listening == 0)


@pytest.mark.parametrize(
    ("user", "query", "status", "words"),
    [
        ("victor", "", 401, "this needs the role operator"),
        ("olga", "", 503, "the microphone is off"),
        ("olga", "?audiocodec=aac", 415, "audiocodec must be g711"),
        ("olga", "?httptype=smellovision", 400, "httptype must be singlepart or multipart"),
    ],
)
async def test_who_hears_nothing_is_told_why(
    url: str, user: str, query: str, status: int, words: str
) -> None:
    digest = DigestAuthMiddleware(user, PASSWORDS[user])
    async with (
        ClientSession(url, middlewares=(digest,)) as session,
        session.get(RECEIVE + query) as response,
    ):
        assert response.status == status
        assert words in await response.text()


# --- bodies without a length --------------------------------------------------------------------

HEAD = b"POST /live HTTP/1.0\r\nContent-Type: audio/basic"
LENGTH = b"\r\nContent-Length: 9223372036854775807"


def given_to_the_parser(data: bytes, cuts: list[int]) -> bytes:
    framed = UnframedBody(lambda path: path == "/live")
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return b"".join(framed(data[a:b]) for a, b in pairwise(places))


@given(st.lists(st.integers(0, 200), max_size=30))
def test_only_an_endless_body_of_http_1_0_is_given_a_length(cuts: list[int]) -> None:
    """RFC 1945 §7.2.2. However it is cut, all else is passed on as it is."""
    body = b"\r\n\r\n\xff\xfe POST /live HTTP/1.0\r\n\r\n"
    assert given_to_the_parser(HEAD + body, cuts) == HEAD + LENGTH + body
    asked = HEAD.replace(b"/live", b"/live?x=1")
    assert given_to_the_parser(asked + body, cuts) == asked + LENGTH + body
    for other in (
        HEAD.replace(b"1.0", b"1.1"),
        HEAD.replace(b"/live", b"/other"),
        HEAD.replace(b"POST", b"PUT"),
        HEAD + b"\r\nContent-length : 5",
        HEAD + b"\r\ntransfer-encoding: chunked",
    ):
        assert given_to_the_parser(other + body, cuts) == other + body


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=10))
def test_what_is_no_such_request_is_passed_on(data: bytes, cuts: list[int]) -> None:
    passed = given_to_the_parser(data, cuts)
    assert data.startswith(passed), "nothing is changed, and what may yet be one is kept back"
    assert passed == data or data.startswith(b"POST "[: len(data)])


def test_a_head_without_an_end_is_not_kept_for_ever() -> None:
    framed = UnframedBody(lambda _: True)
    start = HEAD + b"\r\nX: "
    assert framed(start) == b""
    assert framed(b"x" * HEAD_MAX) == start + b"x" * HEAD_MAX
