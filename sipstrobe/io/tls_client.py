"""Whom we believe over asyncio's and the standard library's TLS: with every Python the same."""

import ssl


def client_context(authorities: str = "", *, verify: bool = True) -> ssl.SSLContext:
    """TLS 1.2 and up; the other side is who was dialled, or (verify=False) anybody at all.

    authorities: who vouches for it, in PEM form, instead of those that the system knows, whose
    reading blocks for some 20 ms. Whoever is given is believed, be it an authority in the middle or
    the server itself. As with SIP, certificates need not name the key they were signed with
    (RFC 5280 §4.2.1.1), which those made for a PBX often do not, and which Python asks for since
    3.13.
    """
    context = ssl.create_default_context(cadata=authorities or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
