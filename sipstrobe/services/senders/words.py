"""What kept us from somebody, in words that say what to look at."""

import errno
import socket
import ssl

from sipstrobe.sending.failure import SendFailed

_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN)


def failure_of(error: OSError | EOFError, host: str, port: int) -> SendFailed:
    """A failure of the network or of TLS; host and port: of the other side."""
    return SendFailed(_words(error, f"{host}:{port}", host))


def _words(error: OSError | EOFError, where: str, host: str) -> str:
    match error:
        case socket.gaierror():
            return f"the name {host} is not found"
        case ssl.SSLCertVerificationError():
            return f"the certificate of {where} is not accepted: {error.verify_message}"
        case ssl.SSLError():
            return f"no TLS with {where}: {error.reason or error}"
        case TimeoutError():
            return f"{where} does not answer"
        case ConnectionRefusedError():
            return f"{where} refuses connections"
        case ConnectionResetError() | BrokenPipeError() | EOFError():
            return f"{where} has broken the connection off"
        case OSError() if error.errno in _UNREACHABLE:
            return f"{where} cannot be reached: {error.strerror}"
        case _:
            return f"{where}: {error or type(error).__name__}"
