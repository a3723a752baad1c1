"""Calls to a phone of others that only listens, for benchmarks of what listening costs."""

import re
import socket
from typing import Final

OFFER: Final = """\
v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {own} RTP/AVP 0
a=sendonly
"""
REQUEST: Final = """\
{method} sip:tester@127.0.0.1:{port} SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{method}{call}
From: <sip:bench@127.0.0.1:{own}>;tag={call}
To: <sip:tester@127.0.0.1:{port}>{tag}
Call-ID: {call}@bench
CSeq: {cseq} {method}
Contact: <sip:bench@127.0.0.1:{own}>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: {length}

{body}"""


class OneWayCalls:
    """Calls that are answered and then only heard by who was called."""

    def __init__(self, port: int, count: int) -> None:
        self.addresses: list[tuple[str, int]] = []  # where it wants to be spoken to
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(("127.0.0.1", port))
        self._socket.settimeout(5.0)
        self._port, self._own = port, self._socket.getsockname()[1]
        self._tags = [self._call(n) for n in range(count)]

    def __enter__(self) -> "OneWayCalls":
        return self

    def __exit__(self, *_: object) -> None:
        for n, tag in enumerate(self._tags):
            self._say("BYE", n, 2, tag)
            self._final()
        self._socket.close()

    def _call(self, number: int) -> str:
        """Its remote tag."""
        self._say("INVITE", number, 1, "", OFFER.format(own=self._own))
        answer = self._final()
        port, tag = re.search(r"m=audio (\d+)", answer), re.search(r"\nTo:.*?(;tag=\S+)", answer)
        assert port is not None, answer
        assert tag is not None, answer
        self._say("ACK", number, 1, tag[1])
        self.addresses.append(("127.0.0.1", int(port[1])))
        return tag[1]

    def _say(self, method: str, number: int, cseq: int, tag: str, body: str = "") -> None:
        call = f"{self._own}x{number}"
        fields = {"method": method, "port": self._port, "own": self._own, "call": call, "tag": tag}
        message = REQUEST.format(**fields, cseq=cseq, length=len(body), body=body)
        self._socket.send(message.replace("\n", "\r\n").encode())

    def _final(self) -> str:
        while True:
            answer = self._socket.recv(65535).decode()
            if re.match(r"SIP/2\.0 [2-6]", answer):
                assert answer.startswith("SIP/2.0 200"), answer
                return answer
