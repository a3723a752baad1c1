"""HTTP requests and texts over TCP, to real servers (RCP-04…06, RCP-11)."""

import asyncio
import re
import ssl
import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from hashlib import md5
from pathlib import Path

import pytest
from aiohttp import web

from sipstrobe.secret import Secret
from sipstrobe.sending.failure import SendFailed
from sipstrobe.sending.message import HttpMessage, TextMessage
from sipstrobe.sending.settings import HttpRecipient, TcpRecipient
from sipstrobe.services.senders.http import HttpSender
from sipstrobe.services.senders.tcp import TcpSender
from tests.services.senders.servers import PASSWORD, USER, listening, web_server
from tests.support.authority import Authority
from tests.support.waiting import until


def recipient(port: int, path: str = "/hook?a=1", **changes: object) -> HttpRecipient:
    known = {"name": "vms", "url": f"http://127.0.0.1:{port}{path}"}
    return HttpRecipient(**(known | changes))  # pyright: ignore[reportArgumentType]


BASIC = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()
REQUEST = HttpMessage(
    id="7-abc",
    at=0.0,
    method="PUT",
    query="door=1%262",
    headers=(("X-Site", "north"),),
    content_type="application/json",
    body='{"on":"ä"}',
)


async def sent(to: HttpRecipient) -> None:
    sender = HttpSender()
    try:
        await sender.send(to, REQUEST)
    finally:
        await sender.aclose()


async def test_a_request_arrives_as_it_was_composed() -> None:
    """RCP-06: method, body and suffix of the query, with an id that a repetition has too."""
    seen: list[tuple[object, ...]] = []

    async def answer(request: web.Request) -> web.Response:
        headers = request.headers
        told = [headers.get(n) for n in ("Idempotency-Key", "X-Site", "Content-Type")]
        seen.append((request.method, request.raw_path, *told, await request.text()))
        return web.Response(status=204)

    async with web_server(answer) as port:
        await sent(recipient(port))

    body = ("7-abc", "north", "application/json", '{"on":"ä"}')
    assert seen == [("PUT", "/hook?a=1&door=1%262", *body)]


async def test_a_server_may_ask_for_a_password_by_basic() -> None:
    """RFC 7617; it is not sent before somebody asks."""
    seen: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        given = request.headers.get("Authorization")
        seen.append(given)
        if given == BASIC:
            return web.Response()
        return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})

    async with web_server(answer) as port:
        await sent(recipient(port, user=USER, password=Secret(PASSWORD)))
        with pytest.raises(SendFailed, match="does not accept user and password"):
            await sent(recipient(port, user=USER, password=Secret("guess")))
        with pytest.raises(SendFailed, match="wants a user and a password"):
            await sent(recipient(port))

    assert seen[0] is None
    assert len(seen) == 5


async def test_a_server_may_ask_for_a_password_by_digest() -> None:
    """RFC 7616, here with MD5 and qop."""

    def digest(*parts: str) -> str:
        return md5(":".join(parts).encode()).hexdigest()

    async def answer(request: web.Request) -> web.Response:
        given = dict(re.findall(r'(\w+)="?([^",]*)', request.headers.get("Authorization", "")))
        if given:
            inner = digest(USER, "x", PASSWORD), digest("PUT", request.raw_path)
            middle = "abc", given["nc"], given["cnonce"], "auth"
            if given["response"] == digest(inner[0], *middle, inner[1]):
                return web.Response()
        asked = 'Digest realm="x", nonce="abc", qop="auth", algorithm=MD5'
        return web.Response(status=401, headers={"WWW-Authenticate": asked})

    async with web_server(answer) as port:
        await sent(recipient(port, user=USER, password=Secret(PASSWORD)))
        with pytest.raises(SendFailed, match="does not accept user and password"):
            await sent(recipient(port, user=USER, password=Secret("guess")))


async def test_a_proxy_is_asked_in_its_own_name() -> None:
    """RCP-04."""
    seen: list[tuple[str, str | None]] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.raw_path, request.headers.get("Proxy-Authorization")))
        return web.Response()

    async with web_server(answer) as port:
        to = HttpRecipient(
            name="far",
            url="http://far.invalid/x",
            proxy=f"http://127.0.0.1:{port}",
            proxy_user=USER,
            proxy_password=Secret(PASSWORD),
        )
        await sent(to)
    with pytest.raises(SendFailed, match=r"proxy: .* refuses connections"):
        await sent(recipient(1, proxy="http://127.0.0.1:9"))

    assert seen == [("http://far.invalid/x?door=1%262", BASIC)]


@pytest.mark.parametrize(
    ("status", "permanent"), [(400, True), (413, True), (404, False), (429, False), (503, False)]
)
async def test_an_answer_that_is_no_success_is_told(status: int, *, permanent: bool) -> None:
    """Only what lies in the message itself is not tried again."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    async with web_server(answer) as port:
        with pytest.raises(SendFailed, match=str(status)) as caught:
            await sent(recipient(port))

    assert caught.value.permanent is permanent


async def test_nobody_is_followed_to_another_place() -> None:
    """A password, and what is sent, are for the server that people have entered."""
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with web_server(answer) as port:
        with pytest.raises(SendFailed, match=r"307 .* see /elsewhere"):
            await sent(recipient(port))

    assert seen == ["/hook"]


async def test_what_is_no_web_server_is_said() -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        writer.close()

    async with listening(babble) as port:
        with pytest.raises(SendFailed, match="speaks no HTTP"):
            await sent(recipient(port))
        with pytest.raises(SendFailed, match=r"TLS|broken"):
            await sent(HttpRecipient(name="x", url=f"https://127.0.0.1:{port}/"))
    with pytest.raises(SendFailed, match="refuses connections"):
        await sent(recipient(9))
    with pytest.raises(SendFailed, match=r"the name nowhere.invalid is not found"):
        await sent(HttpRecipient(name="x", url="http://nowhere.invalid/"))


async def test_a_server_is_believed_when_the_system_knows_who_signed_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Authority()
    (tmp_path / "known.pem").write_text(known.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "known.pem"))
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.scheme)
        return web.Response()

    for authority in (known, Authority()):
        certificate, key, _ = authority.sign("127.0.0.1").write(tmp_path)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        async with web_server(answer, tls) as port:
            url = f"https://127.0.0.1:{port}/"
            if authority is known:
                await sent(HttpRecipient(name="x", url=url))
            else:
                with pytest.raises(SendFailed, match="certificate"):
                    await sent(HttpRecipient(name="x", url=url))
                await sent(HttpRecipient(name="x", url=url, validate_certificate=False))

    assert seen == ["https", "https"]


async def test_a_text_is_sent_when_it_is_acknowledged() -> None:
    """RCP-11: the connection is closed behind it."""
    seen: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read())
        writer.close()

    text = "Tür\n" * 5000
    async with listening(hear) as port:
        to = TcpRecipient(name="plc", host="127.0.0.1", port=port)
        await TcpSender().send(to, TextMessage(id="1-a", at=0.0, text=text))
        await until(lambda: seen)
    with pytest.raises(SendFailed, match="refuses connections"):
        await TcpSender().send(
            TcpRecipient(name="plc", host="127.0.0.1", port=9),
            TextMessage(id="1-a", at=0.0, text="x"),
        )

    assert seen == [text.encode()]


async def test_names_are_looked_up_in_no_thread_that_others_need() -> None:
    """All threads of the loop are busy: with name servers that are silent, say."""
    seen: list[object] = []
    free = threading.Event()

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.method)
        return web.Response(status=204)

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read())
        writer.close()

    with ThreadPoolExecutor(1) as only:
        asyncio.get_running_loop().set_default_executor(only)
        only.submit(free.wait)
        try:
            async with web_server(answer) as port:
                await sent(recipient(port, url=f"http://localhost:{port}/"))
            async with listening(hear) as port:
                to = TcpRecipient(name="plc", host="localhost", port=port)
                await TcpSender().send(to, TextMessage(id="1-a", at=0.0, text="x"))
                await until(lambda: len(seen) == 2)
        finally:
            free.set()

    assert seen == ["PUT", b"x"]
