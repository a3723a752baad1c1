"""What the page shows over TLS, for asyncio's own TLS: RFC 8446, RFC 5246, RFC 9325."""

import os
import ssl
from typing import Final

from sipstrobe.io.identity import Identity

# RFC 9325 §4.2 has these for TLS 1.2, and no others; those of 1.3 are all good.
CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"


def server_context(identity: Identity) -> ssl.SSLContext:
    """TLS 1.2 and 1.3, HTTP/1.1. Blocks. Raises ValueError for a certificate that is of no use.

    OpenSSL takes a key from a file only: it is given one that exists in memory alone.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    # RFC 9325 §3.3, §3.5: ways to learn what is encrypted, and to keep us busy.
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    text = identity.key.reveal().encode() + b"\n" + identity.certificate.encode()
    memory = os.memfd_create("certificate")
    try:
        with open(memory, "wb", closefd=False) as file:
            file.write(text)
        context.load_cert_chain(f"/proc/self/fd/{memory}")
    except ssl.SSLError as error:
        raise ValueError(f"the certificate cannot be used: {error.reason or error}") from None
    finally:
        os.close(memory)
    return context
