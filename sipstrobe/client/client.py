"""Requests to one device, and its live feed."""

import asyncio
import os
import ssl
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Self, cast
from urllib.parse import quote

import aiohttp
import msgspec
from aiohttp import BasicAuth, ClientSession, ClientTimeout, DigestAuthMiddleware, Fingerprint
from msgspec import Struct

from sipstrobe.client.problem import Refused, Unreachable
from sipstrobe.commands import Command
from sipstrobe.errors import LocalProtocolError
from sipstrobe.orders import name_of

API = "/api/v1"
ANSWER_LIMIT = 30.0  # seconds from a request to its whole answer
SILENCE_LIMIT = 10.0  # seconds without a word on the live feed, which speaks each second
RETRY = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds until the feed is asked for again
MESSAGE_MAX = 16 * 1024 * 1024  # bytes of one message of the feed
ANSWER_MAX = 64 * 1024 * 1024  # bytes of an answer that is not written to a file

Json = Mapping[str, Any]


class Section(Struct, frozen=True):
    """A section of the settings as it was at a revision; schema: JSON Schema of its values."""

    name: str
    revision: int
    values: Any
    schema: Json


class Client:
    """One device, as an async context manager.

    url: such as http://192.0.2.7:8080 or https://strobe.example. Who asks is told by an API token,
    or by user and password: with Digest over HTTP, so that the password is not sent, and with Basic
    over TLS. fingerprint: SHA-256 of a certificate that nobody has signed; without one it must be
    signed by somebody whom this machine trusts.

    Raises Refused with what the device says, and Unreachable where it says nothing.
    """

    def __init__(
        self,
        url: str,
        *,
        user: str = "",
        password: str = "",
        token: str = "",
        fingerprint: str = "",
    ) -> None:
        self._url = url.rstrip("/")
        self._user, self._password, self._token = user, password, token
        self._trust = _trust(fingerprint)
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        headers: dict[str, str] = {}
        middlewares: tuple[DigestAuthMiddleware, ...] = ()
        auth = None
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        elif self._user and self._url.startswith("https:"):
            auth = BasicAuth(self._user, self._password, "utf-8")
        elif self._user:
            middlewares = (DigestAuthMiddleware(self._user, self._password),)
        self._session = ClientSession(
            headers=headers,
            auth=auth,
            middlewares=middlewares,
            timeout=ClientTimeout(total=ANSWER_LIMIT),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    # --- orders -----------------------------------------------------------------------------------

    async def execute(self, command: Command) -> Any:
        """Have an order carried out; its result as the command's docstring says, in JSON."""
        return await self.order(name_of(type(command)), msgspec.to_builtins(command))

    async def order(self, name: str, values: Json) -> Any:
        """The same by its name and fields, such as "start-profile"."""
        given = {field: value for field, value in values.items() if value is not None}
        return (await self.post(f"/commands/{quote(name, safe='')}", given))["result"]

    # --- looking ----------------------------------------------------------------------------------

    async def status(self) -> Json:
        """Everything that is live: GET /api/v1/status."""
        return cast("Json", await self.get("/status"))

    async def live(self) -> AsyncGenerator[Json]:
        """What the device tells as it happens: state, events, light frames and levels.

        Goes on where it was when the connection is lost, as far as the device still knows; a
        `hello` that is not `resumed` says that something may have been missed. Raises Refused when
        we may not listen (any more), and Unreachable if the device was never reached.
        """
        after: int | None = None
        attempt = 0
        while True:
            try:
                async for message in self._listen(after):
                    after, attempt = message.get("seq", after), 0
                    yield message
            except Unreachable:
                if after is None:
                    raise
            await asyncio.sleep(RETRY[min(attempt, len(RETRY) - 1)])
            attempt += 1

    # --- settings ---------------------------------------------------------------------------------

    async def settings(self, section: str) -> Section:
        """A section with its revision and limits; a secret is told by what stands for it."""
        told = await self.get(f"/settings/{quote(section, safe='')}")
        return Section(section, told["revision"], told["settings"], told["schema"])

    async def change(self, section: str, patch: Any, *, revision: int | None = None) -> int:
        """Merge a patch into a section (RFC 7396); the new revision.

        With a revision only if nothing has changed since: else Refused with status 412.
        """
        headers = {} if revision is None else {"If-Match": f'"{revision}"'}
        path = f"/settings/{quote(section, safe='')}"
        told = await self.request("PATCH", path, patch, headers=headers)
        return int(told["revision"])

    # --- anything else ----------------------------------------------------------------------------

    async def get(self, path: str, **query: str | int) -> Any:
        """The JSON of an answer; the path is below /api/v1."""
        return await self.request("GET", path, query=query)

    async def post(self, path: str, body: Any = None) -> Any:
        return await self.request("POST", path, body)

    async def put(self, path: str, body: Any = None) -> Any:
        return await self.request("PUT", path, body)

    async def delete(self, path: str) -> Any:
        return await self.request("DELETE", path)

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Any request below /api/v1. body: bytes as they are, everything else as JSON.

        The result is the JSON of the answer, its bytes when it is none, None without any.
        """
        given = dict(headers or {})
        data = body if body is None or isinstance(body, bytes) else msgspec.json.encode(body)
        if data is not None:
            kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
            given.setdefault("Content-Type", kind)
        try:
            async with self._open.request(
                method,
                f"{self._url}{API}{path}",
                data=data,
                params=query,
                headers=given,
                ssl=self._trust,
                allow_redirects=False,  # whoever is asked is told who we are
            ) as answer:
                content = await _read(answer)
        except (aiohttp.ClientError, TimeoutError, ssl.SSLError) as error:
            raise Unreachable(f"{self._url}: {_words(error)}") from None
        if answer.status >= 300:
            raise Refused.read(answer.status, content)
        if not content:
            return None
        return msgspec.json.decode(content) if answer.content_type.endswith("json") else content

    # ----------------------------------------------------------------------------------------------

    @property
    def _open(self) -> ClientSession:
        if self._session is None:
            raise LocalProtocolError("a client is used with `async with`")
        return self._session

    async def _listen(self, after: int | None) -> AsyncGenerator[Json]:
        """The messages of one connection, until it ends."""
        since = {} if after is None else {"after": str(after)}
        try:
            async with self._open.ws_connect(
                f"{self._url}{API}/live",
                params=since,
                ssl=self._trust,
                max_msg_size=MESSAGE_MAX,
            ) as feed:
                while True:
                    said = await feed.receive(SILENCE_LIMIT)
                    if said.type is not aiohttp.WSMsgType.TEXT:
                        return
                    yield msgspec.json.decode(said.data)
        except aiohttp.WSServerHandshakeError as refusal:
            raise Refused(refusal.status, f"the live feed is refused: {refusal.status}") from None
        except (aiohttp.ClientError, TimeoutError, ssl.SSLError) as error:
            raise Unreachable(f"{self._url}: {_words(error)}") from None


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for piece in answer.content.iter_chunked(64 * 1024):
        content += piece
        if len(content) > ANSWER_MAX:
            raise Unreachable(f"an answer has more than {ANSWER_MAX} bytes")
    return bytes(content)


def _trust(fingerprint: str) -> Fingerprint | bool:
    """Raises LocalProtocolError for what is no SHA-256 fingerprint."""
    if not fingerprint:
        return True
    try:
        return Fingerprint(bytes.fromhex(fingerprint.replace(":", "")))
    except ValueError:
        words = "a fingerprint is SHA-256 in hexadecimal: 64 digits, colons between them or not"
        raise LocalProtocolError(words) from None


def _words(error: BaseException) -> str:
    if isinstance(error, aiohttp.ServerFingerprintMismatch):
        return f"the certificate has another fingerprint: {error.got.hex()}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"{error.certificate_error}; a fingerprint says which certificate is meant"
    if isinstance(error, aiohttp.ClientConnectorError):  # its own words speak of TLS in any case
        number = error.os_error.errno or 0
        words = os.strerror(number) if number > 0 else error.os_error.strerror
        return words or str(error.os_error)
    if isinstance(error, TimeoutError):
        return f"no answer within {ANSWER_LIMIT:g} s"
    return str(error) or type(error).__name__
