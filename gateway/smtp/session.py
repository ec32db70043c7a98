"""The dialogue of RFC 5321 for submission: the command loop, every command, DATA.

Replies carry the codes of RFC 2034 and are gathered while a client pipelines (RFC 2920).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

import msgspec

from gateway import maillog
from gateway.config import MIB
from gateway.model import Body, Envelope, Reply
from gateway.smtp import commands
from gateway.smtp.commands import Transaction
from gateway.smtp.data import DataStream
from gateway.smtp.entrance import Entrance, client_of_proxy
from gateway.smtp.secured import Secured, today
from gateway.smtp.spool import Spool

if TYPE_CHECKING:
    from gateway.smtp.server import Server

_log = logging.getLogger("gateway.smtp")

LINE_LIMIT = 2048  # octets of a command line; RFC 5321 §4.5.3.1.4 asks for 512 and more with extensions
CHUNK = 1 << 18
BURST = 8192  # bytes of gathered replies after which other sessions get their turn
BOGUS_LIMIT = 5  # unknown commands in one session

MECHANISMS = "PLAIN LOGIN"

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OTHER_PROTOCOLS = ("GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT")  # a browser made to speak to us


class Session(Secured):
    """One client's dialogue."""

    def __init__(self, server: Server, entrance: Entrance) -> None:
        super().__init__(server, entrance)
        self.max_size = entrance.listener.max_size
        self._bogus = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the dialogue; the server decides whether this client gets one."""
        super().connection_made(transport)
        self.server.sessions[self] = None
        self._dialogue = self.loop.create_task(self._talk())

    def connection_lost(self, error: Exception | None) -> None:
        """Ends the dialogue. A commit that runs goes on: it is a task of the server."""
        if self in self.server.sessions:  # else told already, by a handshake that failed
            super().connection_lost(error)
            self.server.forget(self)

    # --- the command loop -----------------------------------------------------------------------------------

    async def _talk(self) -> None:
        try:
            if not await self._arrive():
                return
            self.say(220, None, f"{self.hostname} ESMTP")
            if not self.secure and await self._begins_with_tls():
                return
            while self.transport is not None and not self.transport.is_closing():
                if self.leaving is not None:
                    self.leave(self.leaving)
                    return
                line = await self._command_line()
                if line is not None:
                    self._reset_timeout()
                    await self._command(line)
        except (ConnectionError, asyncio.IncompleteReadError):
            _log.debug("%s:%s is gone", self.peer.host, self.peer.port)
        finally:
            self._close()

    async def _arrive(self) -> bool:
        """Learns who the client is, has the server decide about it, and secures the connection where that comes
        first; False, and closed, when it may not stay."""
        assert self.transport is not None
        peername = self.transport.get_extra_info("peername")
        self.client = peername[:2] if isinstance(peername, tuple) else ("", 0)
        if self.entrance.is_proxy(self.client[0]) and not await self._proxied():
            return False
        refusal = self.server.admit(self)
        implicit = self.entrance.listener.tls == "implicit"
        if refusal is not None:
            if not implicit:  # there, a reply in clear would be no TLS
                self._reply(refusal)
            self._close()
            return False
        return not implicit or await self._start_tls()

    async def _proxied(self) -> bool:
        """Reads a trusted proxy's header."""
        try:
            async with asyncio.timeout(self.server.limits.proxy_timeout):
                client = await client_of_proxy(self)
        except TimeoutError:
            client = None
        if client is None:
            _log.warning("the proxy %s sent no header of the PROXY protocol", self.client[0])
            self._close()
            return False
        self.client = client if client[0] else self.client
        return True

    async def _command_line(self) -> bytes | None:
        """The next line without its end; None when it was too long, which ends the session."""
        if b"\n" not in self._buffered:
            await self._flush()
        elif len(self._replies) > BURST:
            await self._flush()
            await asyncio.sleep(0)
        self.idle_since = self.loop.time()
        try:
            line = await self.readuntil()
        except asyncio.LimitOverrunError:
            line = b""
        if line and len(line) <= LINE_LIMIT:
            if not line.endswith(b"\r\n") and not self._bears_bare_lf():
                return None
            return line.rstrip(b"\r\n")
        self._refuse(Reply(code=500, enhanced="5.5.2", text="Line too long"), "command line too long")
        self._close()
        return None

    def _bears_bare_lf(self) -> bool:
        """Whether a command may end with LF alone; else the session has ended."""
        if self.source is not None and self.source.bare_lf == "normalize":
            self.notes["bare_lf_command"] += 1
            return True
        self._refuse(Reply(code=500, enhanced="5.5.2", text="Lines end with CRLF"), "a command ended with a bare LF")
        self._close()
        return False

    def _too_early(self, name: str) -> bool:
        """Whether the client has gone on without waiting for the answer, and may not (RFC 2920 §3.1)."""
        if not self._buffered:
            return False
        if self.source is not None and self.source.early_data == "note":
            self.notes[name] += 1
            return False
        self._refuse(Reply(code=554, enhanced="5.5.0", text="Wait for the answer"), "commands before the answer")
        self._close()
        return True

    async def _command(self, line: bytes) -> None:
        text = line.decode("utf-8", "surrogateescape")
        verb, _, argument = text.partition(" ")
        method = self._COMMANDS.get(verb.upper())
        if _CONTROL.search(text):
            self.say(500, "5.5.2", "Control characters are not allowed in a command")
        elif method is None:
            self._unknown(verb)
        else:
            try:
                await method(self, argument.strip(" \t"))
            except (ConnectionError, asyncio.IncompleteReadError):
                raise
            except Exception as error:  # the border of one command: the next one may work
                self._reply(self.incident(error))
        if self.source is None and self._errors >= self.server.limits.errors:
            self._refuse(Reply(code=421, enhanced="4.7.0", text="Too many errors"), "too many refused commands")
            self._close()

    def _unknown(self, verb: str) -> None:
        if verb.upper() in _OTHER_PROTOCOLS:
            maillog.refused(self.peer, f"{verb[:10]} is another protocol", self.source_name)
            self._close()
            return
        self._bogus += 1
        if self._bogus < BOGUS_LIMIT:
            self.say(500, "5.5.1", "Command not recognized")
            return
        self._refuse(Reply(code=421, enhanced="4.7.0", text="Too many unknown commands"), f"unknown command {verb}")
        self._close()

    # --- commands -------------------------------------------------------------------------------------------

    async def smtp_HELO(self, hostname: str) -> None:
        """RFC 5321 §4.1.1.1."""
        if self._greet("HELO", hostname):
            self.extended = False
            self.say(250, None, self.hostname)

    async def smtp_EHLO(self, hostname: str) -> None:
        """RFC 5321 §4.1.1.1; the whole answer in one write, because crude clients read once."""
        if self._greet("EHLO", hostname):
            self.extended = True
            lines = [self.hostname, "PIPELINING", f"SIZE {self.max_size}", "8BITMIME", "ENHANCEDSTATUSCODES"]
            if self.entrance.listener.tls == "starttls" and not self.secure:
                lines.append("STARTTLS")
            if self._offers_auth():
                lines += [f"AUTH {MECHANISMS}", f"AUTH={MECHANISMS}"]  # old clients know the second form alone
            self._replies += "".join(f"250-{line}\r\n" for line in lines).encode("ascii", "replace")
            self.say(250, None, "SMTPUTF8")

    def _greet(self, verb: str, hostname: str) -> bool:
        if not hostname:
            self.say(501, "5.5.4", f"Syntax: {verb} hostname")
            return False
        if self._too_early("early_commands"):
            return False
        if not hostname.isascii():
            self.notes["helo_not_ascii"] += 1
        self.transaction = None
        helo = hostname[:255].encode("utf-8", "replace").decode()
        self.peer = msgspec.structs.replace(self.peer, helo=helo)
        return True

    async def smtp_MAIL(self, argument: str) -> None:
        """RFC 5321 §4.1.1.2."""
        if self.source is None:
            self._ask_to_log_in()
            return
        if not self.peer.helo and not self.source.implicit_helo:
            self.say(503, "5.5.1", "Send EHLO first")
            return
        if self.transaction is not None:
            self.say(503, "5.5.1", "A transaction has begun already")
            return
        charsets = self.source.charset
        mail = commands.mail(argument, extended=self.extended, max_size=self.max_size, charsets=charsets)
        if isinstance(mail, Reply):
            self._refuse(mail, mail.text, argument)
        elif not self.server.in_rate(self):
            self._refuse(Reply(code=451, enhanced="4.7.1", text="Too many mails, try again later"), "above max_rate")
        elif self._has_room(mail.size):
            self.notes["no_helo"] += not self.peer.helo
            self.notes.update(mail.notes)
            self.transaction = Transaction(mail)
            self.say(250, "2.1.0", "Ok")

    async def smtp_RCPT(self, argument: str) -> None:
        """RFC 5321 §4.1.1.3."""
        if self.transaction is None:
            self.say(503, "5.5.1", "Send MAIL first")
            return
        rcpt = commands.rcpt(argument, utf8=self.transaction.mail.smtputf8, extended=self.extended)
        if isinstance(rcpt, Reply):
            self._refuse(rcpt, rcpt.text, argument)
        elif len(self.transaction.rcpt_to) >= self.server.limits.recipients:
            self.say(452, "4.5.3", "Too many recipients")
        else:
            for note in rcpt.notes:
                self.notes[note] += 1
            self.transaction.rcpt_to[rcpt.address] = None
            self.say(250, "2.1.5", "Ok")

    async def smtp_DATA(self, argument: str) -> None:
        """RFC 5321 §4.1.1.4. Nothing of a content that does not reach its end is kept."""
        transaction = self.transaction
        if argument:
            self.say(501, "5.5.4", "Syntax: DATA")
        elif transaction is None or not transaction.rcpt_to:
            self.say(503, "5.5.1", "Send MAIL and RCPT first")
        elif self._has_room(transaction.mail.size) and not self._too_early("early_data"):
            try:
                await self._content(transaction)
            finally:
                self.state = "command"
                self.transaction = None
            self._reset_timeout()

    async def _content(self, transaction: Transaction) -> None:
        """Reads a content to its end, has it stored and answers; the spool is closed here or, once there, by the
        commit."""
        spool = self.server.spool(self.max_size)
        source = self.source
        assert source is not None
        lenient = source.lenient_eod is not None and source.lenient_eod.holds(today())
        stream = DataStream(lenient=lenient, measure=source.max_line < 100 * MIB)
        try:
            await self._read_content(stream, spool)
            refusal, body = self._judge(stream, spool)
        except BaseException:
            spool.close()
            raise
        if body is None:
            spool.close()
            self._reply(refusal)
            return
        self.state = "commit"
        mail = transaction.mail
        envelope = Envelope(mail_from=mail.sender, rcpt_to=tuple(transaction.rcpt_to), smtputf8=mail.smtputf8)
        self.notes["bare_lf"] += stream.bare_lf
        self.notes["bare_cr"] += stream.bare_cr
        notes = {name: int(count) for name, count in sorted(self.notes.items()) if count}
        self.notes.clear()
        await self.server.commit(self, envelope, body, spool, notes)

    async def _read_content(self, stream: DataStream, spool: Spool) -> None:
        """Returns at the end of the content, or when there is so much that no end is waited for."""
        self.say(354, None, "End data with <CR><LF>.<CR><LF>")
        self.state = "data"
        self._received = self._received_before = 0
        self._reset_timeout(self.server.limits.data_timeout)
        await self._flush()
        line_limit = self.server.limits.content_line
        while not stream.ended and stream.received <= 2 * self.max_size and stream.line <= line_limit:
            piece = await self._more(stream)
            if piece is None:
                self.notes["lf_dot_lf"] += 1
                spool.write(stream.end())
                break
            spool.write(stream.feed(piece))
            self._received = stream.received
        self.unread(stream.rest)  # commands of a client that pipelines

    async def _more(self, stream: DataStream) -> bytes | None:
        """The next piece of content; None when a lenient end was followed by silence."""
        if stream.paused:
            try:
                async with asyncio.timeout(self.server.limits.lenient_pause):
                    piece = await self.read(CHUNK)
            except TimeoutError:
                return None
        else:
            piece = await self.read(CHUNK)
        if not piece:
            raise asyncio.IncompleteReadError(b"", None)
        return piece

    def _judge(self, stream: DataStream, spool: Spool) -> tuple[Reply, Body | None]:
        """The content, or the reply that refuses it."""
        if not stream.ended:  # whoever goes on for so long will not stop: the rest is not read
            self.leaving = Reply(code=421, enhanced="4.7.0", text="Closing the connection")
        if spool.too_large or not stream.ended:
            maillog.refused(self.peer, f"content above max_size, {self.max_size} bytes", self.source_name)
            return Reply(code=552, enhanced="5.3.4", text=f"A message may have {self.max_size} bytes here"), None
        fault = self._fault(stream)
        if fault:
            maillog.refused(self.peer, fault, self.source_name)
            return Reply(code=554, enhanced="5.6.0", text=fault), None
        reply = Reply(code=452, enhanced="4.3.1", text="No room for this message now, try again later")
        return reply, spool.body(dotted=stream.dotted)

    def _fault(self, stream: DataStream) -> str:
        """What of a whole content this source may not send."""
        assert self.source is not None
        if self.source.bare_lf == "reject" and (stream.bare_lf or stream.bare_cr):
            return "A line of the content ends with a bare LF or CR"
        if stream.longest > self.source.max_line + 1:  # with its CR
            return f"A line of the content is longer than {self.source.max_line} bytes"
        return ""

    def _has_room(self, size: int) -> bool:
        lack = self.server.budget.lack(size)
        if lack is not None:
            self._refuse(Reply(code=452, enhanced="4.3.1", text="No room now, try again later"), lack)
        return lack is None

    async def smtp_RSET(self, argument: str) -> None:
        """RFC 5321 §4.1.1.5."""
        if argument:
            self.say(501, "5.5.4", "Syntax: RSET")
            return
        self.transaction = None
        self.say(250, "2.0.0", "Ok")

    async def smtp_NOOP(self, argument: str) -> None:
        """RFC 5321 §4.1.1.9."""
        self.say(250, "2.0.0", "Ok")

    async def smtp_QUIT(self, argument: str) -> None:
        """RFC 5321 §4.1.1.10."""
        self.say(221, "2.0.0", "Bye")
        self._close()

    async def smtp_VRFY(self, argument: str) -> None:
        """RFC 5321 §3.5.3: the same answer for everybody, so that nobody learns who exists."""
        self.say(252, "2.5.0", "Addresses are not verified here; a message will be tried")

    async def smtp_EXPN(self, argument: str) -> None:
        """EXPN and what else is known and not offered."""
        self.say(502, "5.5.1", "Command not implemented")

    _COMMANDS: ClassVar[dict[str, Callable[[Session, str], Awaitable[None]]]] = {
        "HELO": smtp_HELO,
        "EHLO": smtp_EHLO,
        "MAIL": smtp_MAIL,
        "RCPT": smtp_RCPT,
        "DATA": smtp_DATA,
        "RSET": smtp_RSET,
        "NOOP": smtp_NOOP,
        "QUIT": smtp_QUIT,
        "VRFY": smtp_VRFY,
        "AUTH": Secured.smtp_AUTH,
        "STARTTLS": Secured.smtp_STARTTLS,
        **dict.fromkeys(("EXPN", "HELP", "BDAT", "ETRN", "TURN"), smtp_EXPN),
    }
