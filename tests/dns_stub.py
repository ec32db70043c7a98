"""A DNS server on loopback for tests: real packets over UDP and TCP, a zone that is a dict.

    async with DnsStub() as dns:
        dns.zone["example.com", "MX"] = ["10 mx1.example.com."]
        dns.zone["mx1.example.com", "A"] = ["127.0.0.2"]
        dns.fail["broken.example"] = "SERVFAIL"         # a response code, or "silent"
        dns.authentic = True                            # answers carry AD

A name that stands nowhere in the zone does not exist (NXDOMAIN); one that does has no record of other types.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class DnsStub:
    """One server; `asked` is what it was asked, in order."""

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        self.address = address
        self.zone: dict[tuple[str, str], list[str]] = {}
        self.fail: dict[str, str] = {}
        self.authentic = False
        self.truncate = False  # over UDP: ask again over TCP
        self.ttl = 300
        self.asked: list[tuple[str, str]] = []
        self.over_tcp = 0
        self.flags: list[int] = []  # EDNS flags of the questions
        self.port = port  # 0: any
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None

    @property
    def server(self) -> tuple[str, int]:
        """What a resolver asks."""
        return self.address, self.port

    def mail(self, domain: str, *hosts: tuple[int, str, list[str]]) -> None:
        """`domain` has these exchangers: preference, name, addresses."""
        self.zone[domain, "MX"] = [f"{preference} {name}." for preference, name, _ in hosts]
        for _, name, addresses in hosts:
            self.host(name, *addresses)

    def host(self, name: str, *addresses: str) -> None:
        """`name` has these addresses, of both kinds."""
        self.zone[name, "A"] = [address for address in addresses if ":" not in address]
        self.zone[name, "AAAA"] = [address for address in addresses if ":" in address]

    async def __aenter__(self) -> DnsStub:
        loop = asyncio.get_running_loop()
        while self._udp is None:
            self._tcp = await asyncio.start_server(self._serve, self.address, self.port)
            self.port = self._tcp.sockets[0].getsockname()[1]
            try:
                self._udp, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), (self.address, self.port))
            except OSError:  # somebody has that port over UDP: another one
                self._tcp.close()
                self.port = 0
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        assert self._udp is not None
        assert self._tcp is not None
        self._udp.close()
        self._tcp.close()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            size = int.from_bytes(await reader.readexactly(2), "big")
            response = self.respond(await reader.readexactly(size), udp=False)
            if response is not None:
                self.over_tcp += 1
                writer.write(len(response).to_bytes(2, "big") + response)
                await writer.drain()
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    def respond(self, wire: bytes, udp: bool = True) -> bytes | None:
        """The packet that answers `wire`, None when there is none."""
        question = dns.message.from_wire(wire)
        name = question.question[0].name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.question[0].rdtype)
        self.asked.append((name, kind))
        self.flags.append(question.ednsflags)
        fault = self.fail.get(f"{name} {kind}") or self.fail.get(name)
        if fault == "silent":
            return None
        response = dns.message.make_response(question, recursion_available=True)
        records = self.zone.get((name, kind))
        if fault is not None:
            response.set_rcode(dns.rcode.from_text(fault))
        elif records:
            response.answer.append(dns.rrset.from_text_list(question.question[0].name, self.ttl, "IN", kind, records))
        elif not any(known == name for known, _ in self.zone):
            response.set_rcode(dns.rcode.NXDOMAIN)
        if self.authentic:
            response.flags |= dns.flags.AD
        if self.truncate and udp:
            response.flags |= dns.flags.TC
            response.answer.clear()
        return response.to_wire(max_size=65535)


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, stub: DnsStub) -> None:
        self._stub = stub

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        response = self._stub.respond(data)
        if response is not None:
            self._transport.sendto(response, addr)


@contextlib.contextmanager
def in_thread(stub: DnsStub) -> Iterator[DnsStub]:
    """Run `stub` in a loop of its own, for tests that have none."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="dns")
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(stub.__aenter__(), loop).result(10)
        yield stub
        asyncio.run_coroutine_threadsafe(stub.__aexit__(None, None, None), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
