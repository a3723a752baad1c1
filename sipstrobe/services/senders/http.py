"""HTTP and HTTPS requests (RCP-04…06), with Basic and Digest authentication and proxies."""

import socket
import ssl
from base64 import b64encode
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import ClientResponse, ClientSession, DigestAuthMiddleware
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from sipstrobe.io.tls_client import client_context
from sipstrobe.sending.failure import SendFailed
from sipstrobe.sending.message import HttpMessage
from sipstrobe.sending.settings import HttpRecipient
from sipstrobe.services.senders.thread import Lifeline, addresses, in_thread
from sipstrobe.services.senders.words import failure_of

CONNECT_LIMIT: Final = 10.0  # seconds
READ_LIMIT: Final = 20.0  # between two pieces of an answer
TOTAL_LIMIT: Final = 45.0
BODY_READ: Final = 64 * 1024  # bytes of an answer that are read, so that the connection lives on
IDEMPOTENCY_KEY: Final = "Idempotency-Key"
_NUMERIC: Final = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
_OWN_FAULT: Final = frozenset({400, 405, 406, 409, 410, 411, 413, 414, 415, 422, 431})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class _Names(AbstractResolver):
    """Of the sender's own threads: those of the loop have other things to do."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=at, port=port, family=of, proto=0, flags=_NUMERIC)
            for of, at in await addresses(host, port, family)
        ]

    async def close(self) -> None:
        """Nothing is open."""


class HttpSender:
    """Keeps its connections. An answer of 2xx means that the other side has it."""

    def __init__(self) -> None:
        self._session: ClientSession | None = None
        self._trusting: ssl.SSLContext | None = None
        self._digests: dict[HttpRecipient, DigestAuthMiddleware] = {}

    async def send(self, recipient: HttpRecipient, message: HttpMessage, /) -> None:
        parts = urlsplit(recipient.url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            await self._exchange(recipient, message)
        except aiohttp.ClientProxyConnectionError as error:
            proxy = urlsplit(recipient.proxy)
            words = failure_of(error.os_error, proxy.hostname or "", proxy.port or 80).words
            raise SendFailed(f"proxy: {words}") from None
        except aiohttp.ClientHttpProxyError as error:
            raise SendFailed(f"the proxy answers {error.status} {error.message}") from None
        except aiohttp.ClientConnectorCertificateError as error:
            inner = error.certificate_error
            assert isinstance(inner, ssl.SSLError)
            raise failure_of(inner, host, port) from None
        except aiohttp.ClientConnectorError as error:
            raise failure_of(error.os_error, host, port) from None
        except aiohttp.ServerDisconnectedError:
            raise failure_of(ConnectionResetError(), host, port) from None
        except aiohttp.ClientError as error:
            raise SendFailed(f"{host}:{port} speaks no HTTP: {error}") from None
        except TimeoutError:
            raise failure_of(TimeoutError(), host, port) from None
        except OSError as error:
            raise failure_of(error, host, port) from None

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _exchange(self, recipient: HttpRecipient, message: HttpMessage) -> None:
        middlewares: tuple[Any, ...] = ()
        if recipient.user:
            middlewares = (self._digest(recipient),)
        scheme = await self._once(recipient, message, "", middlewares)
        if scheme == "basic" and recipient.user:
            scheme = await self._once(recipient, message, _basic(recipient), ())
        if scheme and recipient.user:
            raise SendFailed("the server does not accept user and password (401)")
        if scheme:
            raise SendFailed("the server wants a user and a password (401)")

    async def _once(
        self,
        recipient: HttpRecipient,
        message: HttpMessage,
        authorization: str,
        middlewares: tuple[Any, ...],
    ) -> str:
        """Make the request. The scheme that the server asks for, if it asks; else it is sent."""
        headers = [(IDEMPOTENCY_KEY, message.id), *message.headers]
        if message.content_type:
            headers.append(("Content-Type", _with_charset(message.content_type)))
        if authorization:
            headers.append(("Authorization", authorization))
        async with self._opened().request(
            message.method,
            _url(recipient.url, message.query),
            data=message.body.encode() if message.body else None,
            headers=headers,
            proxy=_proxy(recipient),
            ssl=await self._trust(recipient),
            allow_redirects=False,
            middlewares=middlewares,
        ) as response:
            await _drain(response)
            return _judge(response)

    async def _trust(self, recipient: HttpRecipient) -> ssl.SSLContext | bool:
        if not recipient.validate_certificate or not recipient.url.startswith("https:"):
            return False
        if self._trusting is None:
            await in_thread("authorities", self._read_authorities)
        assert self._trusting is not None
        return self._trusting

    def _read_authorities(self, _: Lifeline) -> None:
        self._trusting = client_context()

    def _opened(self) -> ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, resolver=_Names(), keepalive_timeout=15),
                timeout=aiohttp.ClientTimeout(
                    total=TOTAL_LIMIT, sock_connect=CONNECT_LIMIT, sock_read=READ_LIMIT
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "sipstrobe"},
                skip_auto_headers=("Content-Type",),
                max_line_size=8190,
                max_field_size=8190,
            )
        return self._session

    def _digest(self, recipient: HttpRecipient) -> DigestAuthMiddleware:
        """Which remembers what the server has last asked."""
        found = self._digests.get(recipient)
        if found is None:
            for other in [r for r in self._digests if r.name == recipient.name]:
                del self._digests[other]
            found = DigestAuthMiddleware(recipient.user, recipient.password.reveal())
            self._digests[recipient] = found
        return found


def _url(url: str, query: str) -> URL:
    """The URL with the suffix of the query, both written as they are."""
    if query:
        query = query.lstrip("?&")
        url += ("&" if "?" in url else "?") + query
    return URL(url, encoded=True) if url.isascii() and " " not in url else URL(url)


def _proxy(recipient: HttpRecipient) -> URL | None:
    if not recipient.proxy:
        return None
    proxy = URL(recipient.proxy)
    if not recipient.proxy_user:
        return proxy
    secret = recipient.proxy_password.reveal()
    return proxy.with_user(recipient.proxy_user).with_password(secret)


def _basic(recipient: HttpRecipient) -> str:
    """RFC 7617 §2."""
    pair = f"{recipient.user}:{recipient.password.reveal()}"
    return "Basic " + b64encode(pair.encode()).decode()


def _with_charset(content_type: str) -> str:
    if content_type.lower().startswith("text/") and "charset" not in content_type.lower():
        return content_type + "; charset=utf-8"
    return content_type


async def _drain(response: ClientResponse) -> None:
    """Read a short answer, so that its connection can be used again; a long one ends it."""
    read = 0
    async for piece in response.content.iter_chunked(8192):
        read += len(piece)
        if read > BODY_READ:
            response.close()
            return


def _judge(response: ClientResponse) -> str:
    status = response.status
    if 200 <= status < 300:
        return ""
    reason = f"{status} {response.reason or ''}".rstrip()
    if status == 401:
        schemes = response.headers.getall("WWW-Authenticate", [])
        return "basic" if any(s.lower().startswith("basic") for s in schemes) else "digest"
    if status == 407:
        raise SendFailed("the proxy does not accept user and password (407)")
    if status in _REDIRECTS:
        location = response.headers.get("Location", "?")[:200]
        raise SendFailed(f"the server answers {reason}, see {location}: enter the address itself")
    raise SendFailed(f"the server answers {reason}", permanent=status in _OWN_FAULT)
