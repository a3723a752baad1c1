"""Keys for SRTP by a handshake on the way of the media: RFC 5763, RFC 5764; DTLS 1.2 of OpenSSL.

Bytes go in and out through memory; who the peer is, its fingerprint in SDP proves.
"""

import base64
import hashlib
from collections import deque
from collections.abc import Collection, Container, Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from OpenSSL import SSL

from sipstrobe.rtp.latch import NEGOTIATED, Address, standing_of
from sipstrobe.rtp.srtp import Keys
from sipstrobe.secret import Secret

# Seconds until a flight is repeated, doubled each time. Deviation: RFC 6347 §4.2.4.1 begins with a
# second, but the first flight often comes before the peer knows our fingerprint, and speech waits.
FIRST_WAIT: Final = 0.05
LONGEST_WAIT: Final = 2.0
LIMIT: Final = 20.0  # seconds that all of it may take
MAX_ATTEMPTS: Final = 4  # handshakes that may fail, of the peer, of hosts we know, of strangers
STALLED: Final = 3.0  # seconds of silence after which another, no better known, may begin instead
MAX_REPEATS: Final = 16  # of our last flight, for a peer that has not got it
MTU: Final = 1200  # bytes of one datagram
VERSION: Final = 0xFEFD  # DTLS 1.2; RFC 6347 §4.1
RECORD_HEADER: Final = 13  # bytes; RFC 6347 §4.1
_HANDSHAKE, _CLIENT_HELLO = 22, 1  # RFC 5246 §6.2.1, §7.4
_LABEL: Final = b"EXTRACTOR-dtls_srtp"  # RFC 5764 §4.2
_LIFETIME: Final = timedelta(days=3650)  # of a certificate that nobody looks into
# What OpenSSL calls them, in our order -> RFC 4568 §6.2 and RFC 7714 §14.2, bytes of key and salt.
_PROFILES: Final = {
    b"SRTP_AEAD_AES_256_GCM": ("AEAD_AES_256_GCM", 32, 12),
    b"SRTP_AEAD_AES_128_GCM": ("AEAD_AES_128_GCM", 16, 12),
    b"SRTP_AES128_CM_SHA1_80": ("AES_CM_128_HMAC_SHA1_80", 16, 14),
    b"SRTP_AES128_CM_SHA1_32": ("AES_CM_128_HMAC_SHA1_32", 16, 14),
}


class SrtpKeys(NamedTuple):
    """What a handshake is for."""

    ours: Keys  # for what we send
    theirs: Keys


class Certificate:
    """Who we are in every handshake of a process: a new key, signed by itself."""

    def __init__(self, wall: datetime) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sipstrobe")])
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(wall - timedelta(days=1))  # clocks differ
            .not_valid_after(wall + _LIFETIME)
            .sign(key, hashes.SHA256())
        )
        self.sha256 = certificate.fingerprint(hashes.SHA256())
        self._context = context = SSL.Context(SSL.DTLS_METHOD)
        context.set_options(SSL.OP_NO_QUERY_MTU | SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_min_proto_version(VERSION)
        context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _accept)
        context.use_certificate(certificate)
        context.use_privatekey(key)
        context.set_tlsext_use_srtp(b":".join(_PROFILES))

    def connection(self, *, active: bool) -> SSL.Connection:
        made = SSL.Connection(self._context)
        made.set_ciphertext_mtu(MTU)
        if active:
            made.set_connect_state()
        else:
            made.set_accept_state()
        return made


class Dtls:
    """One association: `keys` when it has them, `failed` when it never will, and in `trouble` why.

    fingerprints: of the peer, any of which will do: name of a hash function as in SDP, and digest.
    active: we are the client; known: further hosts from which the peer may well send. Datagrams to
    be sent, with their destination, wait in the outbox.
    """

    def __init__(
        self,
        certificate: Certificate,
        fingerprints: Collection[tuple[str, bytes]],
        *,
        active: bool,
        known: Container[str] = (),
    ) -> None:
        self.outbox: deque[tuple[bytes, Address]] = deque()
        self.deadline: float | None = None
        self.keys: SrtpKeys | None = None
        self.failed = False
        self.trouble = ""  # what has gone wrong last; it may go well yet
        self._certificate = certificate
        self._fingerprints = fingerprints
        self.active = active
        self._known = known
        self._peer: Address | None = None  # as SDP has it
        self._partner: Address | None = None  # whom we speak with
        self._heard_at = 0.0  # when the partner has sent something
        self._connection = certificate.connection(active=active)
        self._flight: list[bytes] = []  # what we have sent last
        self._wait = FIRST_WAIT
        self._repeats = 0
        self._closed = False  # the association has had its keys, and is of no use any more
        self._failures = [0] * (NEGOTIATED + 1)  # by what spoke for the partner
        self._over_at: float | None = None

    def start(self, peer: Address | None, *, now: float) -> None:
        """Begin, or go on with another address of the peer; None: it has yet to show itself."""
        self._peer = peer
        if self._over_at is None:
            self._over_at = self.deadline = now + LIMIT
        if peer is not None and (self.active or self._is_over):
            self._partner = peer
        if self.active and not self._flight and peer is not None:
            self._step(now)

    def extend(self, *, now: float) -> None:
        """All of the time again, since the other side may have begun only now."""
        if self._over_at is None or self.keys is not None:
            return
        self._over_at = now + LIMIT
        if self.failed:
            self.failed, self.trouble = False, ""
            self._failures = [0] * len(self._failures)
            self._begin_anew()
            if self._partner is not None:
                self._step(now)

    def receive(self, data: bytes, source: Address, *, now: float) -> None:
        """A datagram whose first octet is that of DTLS (RFC 7983)."""
        if self.failed or self._closed or self._over_at is None:
            return
        if not self._is_partner(data, source, now):
            return
        if not self._is_over:
            self._connection.bio_write(data)
            self._step(now)
            return
        self._read(data)
        if not self._flush() and data[0] == _HANDSHAKE and self._repeats < MAX_REPEATS:
            self._repeats += 1  # RFC 6347 §4.2.4: the peer has not got our last flight
            self._send(self._flight)

    def wake(self, *, now: float) -> None:
        """Repeat what has got no answer."""
        if self.deadline is None or now < self.deadline or self._over_at is None:
            return
        if now >= self._over_at:
            self._fail(self.trouble or "the other side has not finished the DTLS handshake")
            return
        self._connection.DTLSv1_handle_timeout()  # new records, which no replay check refuses
        if not self._flush():
            self._send(self._flight)
        self._wait = min(2 * self._wait, LONGEST_WAIT)
        self.deadline = min(now + self._wait, self._over_at)

    def close(self) -> None:
        """Say that we go, if we have ever met."""
        if self.keys is not None:
            try:
                self._connection.shutdown()
            except SSL.Error:
                return
            self._flush()

    @property
    def _is_over(self) -> bool:
        return self.keys is not None or self.failed

    def _is_partner(self, data: bytes, source: Address, now: float) -> bool:
        """A client may begin who is better known than the one there is, or when that one stalls:
        so outsiders neither join a handshake nor keep the peer out for long."""
        if source == self._partner:
            self._heard_at = now
            return True
        if self.active or self._is_over or not _is_client_hello(data):
            return False
        standing = self._standing_of(source)
        if self._failures[standing] >= MAX_ATTEMPTS:
            return False
        if self._partner is not None:
            before = self._standing_of(self._partner)
            stalled = now - self._heard_at >= STALLED
            if standing < before or (standing == before and not stalled):
                return False
            self._begin_anew()
        self._partner, self._heard_at = source, now
        return True

    def _standing_of(self, source: Address) -> int:
        return standing_of(source, self._peer, self._known)

    def _begin_anew(self) -> None:
        self._connection = self._certificate.connection(active=self.active)
        self._flight = []
        self._wait = FIRST_WAIT
        self.deadline = self._over_at
        self._partner = self._peer if self.active else None

    def _step(self, now: float) -> None:
        """Go on with the handshake as far as what has come allows."""
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            if self._flush():
                self._wait = FIRST_WAIT
                assert self._over_at is not None
                self.deadline = min(now + self._wait, self._over_at)
            return
        except SSL.Error as error:
            self._flush()
            self._try_again(f"the DTLS handshake has failed: {_words(error)}", now)
            return
        self._flush()
        if not self._is_who_it_should_be():
            self._try_again("the certificate is not the one that the signalling has announced", now)
            return
        self._derive()

    def _derive(self) -> None:
        """RFC 5764 §4.2: keys of client and server, then their salts."""
        found = _PROFILES.get(self._connection.get_selected_srtp_profile())
        if found is None:
            self._fail("the other side knows none of our SRTP profiles")
            return
        suite, key, salt = found
        material = self._connection.export_keying_material(_LABEL, 2 * (key + salt))
        client = material[:key] + material[2 * key : 2 * key + salt]
        server = material[key : 2 * key] + material[2 * key + salt :]
        first, second = (
            Keys(suite, Secret(base64.b64encode(part).decode())) for part in (client, server)
        )
        self.trouble = ""
        self.keys = SrtpKeys(first, second) if self.active else SrtpKeys(second, first)
        self.deadline = None

    def _is_who_it_should_be(self) -> bool:
        """RFC 5763 §5: the fingerprints in SDP are what the certificate is judged by."""
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if certificate is None:
            return False
        from cryptography.hazmat.primitives.serialization import Encoding

        encoded = certificate.public_bytes(Encoding.DER)
        strongest = max(len(digest) for _, digest in self._fingerprints)  # RFC 8122 §5
        return any(
            hashlib.new(function.replace("-", ""), encoded).digest() == digest
            for function, digest in self._fingerprints
            if len(digest) == strongest
        )

    def _try_again(self, reason: str, now: float) -> None:
        """Outsiders could have spoilt it; and those who fail too often do not keep the peer out."""
        assert self._partner is not None
        standing = NEGOTIATED if self.active else self._standing_of(self._partner)
        self._failures[standing] += 1
        if self._failures[NEGOTIATED] >= MAX_ATTEMPTS:
            self._fail(reason)
            return
        self.trouble = reason
        self._begin_anew()
        if self.active:
            self._step(now)

    def _fail(self, reason: str) -> None:
        self.failed, self.trouble = True, reason
        self.deadline = None

    def _read(self, data: bytes) -> None:
        """Let OpenSSL see what comes after the handshake; none of it is for us. All of it must be
        taken, for what is left waits in memory."""
        self._connection.bio_write(data)
        try:
            while True:
                self._connection.recv(MTU)
        except SSL.WantReadError:
            return
        except SSL.Error:  # a farewell among them; from now on it would take nothing
            self._closed = True

    def _flush(self) -> bool:
        """Send what OpenSSL has made; False when it has made nothing."""
        made = b""
        while True:
            try:
                made += self._connection.bio_read(1 << 16)
            except SSL.WantReadError:
                break
        if made:
            self._flight = list(_datagrams(made))
            self._send(self._flight)
        return bool(made)

    def _send(self, flight: list[bytes]) -> None:
        if self._partner is not None:
            self.outbox.extend((datagram, self._partner) for datagram in flight)


def _datagrams(records: bytes) -> Iterator[bytes]:
    """Whole records, as many as fit, in each datagram (RFC 6347 §4.1.1)."""
    start = end = 0
    while end < len(records):
        size = RECORD_HEADER + int.from_bytes(records[end + 11 : end + 13], "big")
        if end > start and end + size - start > MTU:
            yield records[start:end]
            start = end
        end += size
    yield records[start:]


def _is_client_hello(data: bytes) -> bool:
    return len(data) > RECORD_HEADER and data[0] == _HANDSHAKE and data[13] == _CLIENT_HELLO


def _accept(*_: object) -> bool:
    """Whoever signed the certificate: the fingerprint is what counts."""
    return True


def _words(error: SSL.Error) -> str:
    """The reason in OpenSSL's own words."""
    stack: object = error.args[0] if error.args else None
    if isinstance(stack, list) and stack and isinstance(stack[-1], tuple):
        return str(stack[-1][-1])  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    return str(error) or type(error).__name__
