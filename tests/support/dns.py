"""A name server on loopback that knows one small zone, built with dnspython's messages."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.zone


@dataclass
class NameServer(asyncio.DatagramProtocol):
    """Answers from `zone` (master file lines, names relative to "test.").

    silent: kinds of record that it does not answer questions for, "*" for all. asked: what it was
    asked for, as "SRV _sip._udp.pbx.test".
    """

    zone: str
    silent: set[str] = field(default_factory=set[str])
    asked: list[str] = field(default_factory=list[str])
    address: tuple[str, int] = ("127.0.0.1", 0)
    _transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        [question] = query.question
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{kind} {question.name.to_text(omit_final_dot=True)}")
        if not self.silent & {kind, "*"}:
            assert self._transport is not None
            self._transport.sendto(self._answer(query).to_wire(), addr)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        [question] = query.question
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA | dns.flags.RA
        origin = dns.name.from_text("test.")
        start = "$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 30\n@ NS ns\n"
        zone = dns.zone.from_text(start + self.zone, origin, check_origin=False, relativize=False)
        alias = zone.get_rrset(question.name, dns.rdatatype.CNAME)
        if alias is not None:
            answer.answer.append(alias)
        name = question.name
        if alias is not None:
            name = dns.name.from_text(str(cast("list[object]", list(alias))[0]))
        found = zone.get_rrset(name, question.rdtype)
        if found is not None:
            answer.answer.append(found)
            return answer
        if zone.get_node(question.name) is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        soa = zone.get_rrset(origin, dns.rdatatype.SOA)
        assert soa is not None
        soa.ttl = 30
        answer.authority.append(soa)
        return answer


@asynccontextmanager
async def name_server(zone: str) -> AsyncGenerator[NameServer]:
    """A name server on a free port."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: NameServer(zone), local_addr=("127.0.0.1", 0)
    )
    server.address = transport.get_extra_info("sockname")
    try:
        yield server
    finally:
        transport.close()
