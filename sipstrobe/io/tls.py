"""TLS 1.2 and 1.3 on bytes, without sockets: RFC 8446, RFC 5246; in words what is wrong with it.

Importing this costs 20 MB and 0.1 s: it is done when TLS is first used.
"""

import contextlib
from typing import cast

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL, crypto

from sipstrobe.errors import ConfigError, Problem, RemoteProtocolError
from sipstrobe.io.x509 import (
    Identity,
    certificates_in,
    distrust,
    domain_of,
    is_address,
    is_for,
    names_in,
    printable,
)

_PLAIN_BYTES = 16 * 1024  # RFC 8446 §5.1: of one record
_WIRE_BYTES = 64 * 1024
_LISTED = 3  # names of a certificate that are shown to people

_VERSIONS = {
    "automatic": (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION),
    "1.2": (SSL.TLS1_2_VERSION, SSL.TLS1_2_VERSION),
    "1.3": (SSL.TLS1_3_VERSION, SSL.TLS1_3_VERSION),
}
_NO_TLS = ("wrong version number", "http request", "packet length too long", "record layer failure")
_NO_VERSION = ("protocol version", "unsupported protocol", "no protocols available")
_NO_TRUST = ("unknown ca", "alert decrypt error", "alert bad certificate", "alert certificate")
_NO_CIPHER = ("handshake failure", "no shared cipher")


class Tls:
    """How we speak TLS on one side: versions, what we show, whom we trust."""

    def __init__(
        self, method: int, versions: str, identity: Identity | None, section: str = "/sip/tls"
    ) -> None:
        """section: where the settings have what is given. Raises ConfigError for a certificate or
        key that cannot be used."""
        self._section = section
        self.in_words = "1.2 or 1.3" if versions == "automatic" else versions
        self.verify = False
        self.context = SSL.Context(method)
        least, most = _VERSIONS[versions]
        self.context.set_min_proto_version(least)
        self.context.set_max_proto_version(most)
        # RFC 9325 §3.3, §3.5: ways to learn what is encrypted, and to keep us busy.
        self.context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
        if identity is not None:
            _show(self.context, identity, section)

    @classmethod
    def server(cls, identity: Identity, versions: str) -> "Tls":
        return cls(SSL.TLS_SERVER_METHOD, versions, identity)

    @classmethod
    def client(
        cls,
        identity: Identity | None,
        versions: str,
        *,
        authorities: str,
        verify: bool,
        alpn: str = "",
        section: str = "/sip/tls",
    ) -> "Tls":
        """identity: what is shown if the server asks. authorities: in PEM form; "": the system's.
        alpn: what we say that we speak (RFC 7301); "": nothing. section: see above.

        Raises ConfigError.
        """
        made = cls(SSL.TLS_CLIENT_METHOD, versions, identity, section)
        if alpn:
            made.context.set_alpn_protos([alpn.encode()])
        if verify:
            made._trust(authorities)
        return made

    def accept(self) -> "TlsChannel":
        connection = SSL.Connection(self.context, None)
        connection.set_accept_state()
        return TlsChannel(self, connection, "")

    def connect(self, name: str) -> "TlsChannel":
        """name: the domain that we want to reach, or a numeric address."""
        connection = SSL.Connection(self.context, None)
        connection.set_connect_state()
        if not is_address(name):  # RFC 6066 §3
            connection.set_tlsext_host_name(domain_of(name).encode("ascii", "replace"))
        return TlsChannel(self, connection, name if self.verify else "")

    def _trust(self, authorities: str) -> None:
        self.verify = True
        self.context.set_verify(SSL.VERIFY_PEER, _note_distrust)
        if not authorities:
            self.context.set_default_verify_paths()
            return
        store = self.context.get_cert_store()
        assert store is not None
        # Whoever is given is trusted, be it an authority in the middle or the server itself.
        store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
        for certificate in certificates_in(authorities, f"{self._section}/authorities"):
            store.add_cert(crypto.X509.from_cryptography(certificate))


class TlsChannel:
    """One end of one connection; see io.connection.Channel."""

    partial = False  # to whoever reads a stream of bytes, each is whole

    def __init__(self, tls: Tls, connection: SSL.Connection, name: str) -> None:
        """name: whom the other side must prove to be; "": nobody in particular."""
        self._tls = tls
        self._connection = connection
        self._name = name
        self.distrust = ""  # why the other side's certificate is not trusted
        self.open = False
        self.ended = False

    def begin(self) -> None:
        self._shake_hands()

    def receive(self, data: bytes) -> list[bytes]:
        if data:
            self._connection.bio_write(data)
        if not self.open:
            self._shake_hands()
        pieces: list[bytes] = []
        while self.open and not self.ended:
            try:
                pieces.append(self._connection.recv(_PLAIN_BYTES))
            except SSL.WantReadError:
                break
            except SSL.ZeroReturnError:
                self.ended = True
            except SSL.Error as error:
                raise RemoteProtocolError(self._why(error)) from None
        return pieces

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def close(self) -> None:
        with contextlib.suppress(SSL.Error):  # in the middle of the handshake, or after an error
            self._connection.shutdown()

    def outgoing(self) -> bytes:
        pieces: list[bytes] = []
        with contextlib.suppress(SSL.WantReadError):
            while True:
                pieces.append(self._connection.bio_read(_WIRE_BYTES))
        return b"".join(pieces)

    def _shake_hands(self) -> None:
        self._connection.set_app_data(self)
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return
        except SSL.Error as error:
            raise RemoteProtocolError(self._why(error)) from None
        finally:
            self._connection.set_app_data(None)  # a ring of two would wait for the collector
        if self._name:
            self._check_name()
        self.open = True

    def _check_name(self) -> None:
        shown = self._connection.get_peer_certificate()
        try:
            names = () if shown is None else names_in(shown.to_cryptography())
        except ValueError:
            names = ()
        if not is_for(self._name, names):
            listed = ", ".join(printable(name) for name in names[:_LISTED]) or "nobody"
            raise RemoteProtocolError(f"its certificate is for {listed}, not for {self._name}")

    def _why(self, error: SSL.Error) -> str:
        if self.distrust:
            return self.distrust
        words = _words(error)
        if any(sign in words for sign in _NO_TLS):
            return "it does not speak TLS"
        if any(sign in words for sign in _NO_VERSION):
            return f"it speaks no TLS {self._tls.in_words}"
        if "certificate required" in words:
            return "it asks for a certificate of ours"
        if any(sign in words for sign in _NO_TRUST):
            return "it does not trust our certificate"
        if any(sign in words for sign in _NO_CIPHER):
            return "it has no kind of encryption in common with us"
        return f"TLS has failed: {words}"


def _show(context: SSL.Context, identity: Identity, section: str) -> None:
    own, *chain = certificates_in(identity.certificate, f"{section}/certificate")
    try:
        key = load_pem_private_key(identity.key.reveal().encode(), password=None)
    except (ValueError, TypeError):
        problem = Problem(f"{section}/private_key", "is no private key in PEM form")
        raise ConfigError([problem]) from None
    try:
        context.use_certificate(own)
        context.use_privatekey(key)  # pyright: ignore[reportArgumentType]
    except (SSL.Error, TypeError):
        problem = Problem(f"{section}/private_key", "does not fit the certificate, or is too weak")
        raise ConfigError([problem]) from None
    for certificate in chain:
        context.add_extra_chain_cert(certificate)


def _note_distrust(
    connection: SSL.Connection, certificate: crypto.X509, error: int, depth: int, ok: int
) -> bool:
    channel = connection.get_app_data()
    if not ok and isinstance(channel, TlsChannel) and not channel.distrust:
        try:
            channel.distrust = distrust(certificate.to_cryptography(), error, depth)
        except ValueError:
            channel.distrust = "its certificate cannot be read"
    return bool(ok)


def _words(error: SSL.Error) -> str:
    """What OpenSSL says last: [(library, function, reason), …]."""
    if not error.args or not isinstance(error.args[0], list) or not error.args[0]:
        return "the connection is broken"
    return cast("list[tuple[str, str, str]]", error.args[0])[-1][2]
