"""The dialogue of RFC 5321 for submission: the command loop, every command, DATA.

Replies carry the codes of RFC 2034 and are gathered while a client pipelines (RFC 2920).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from gateway import maillog
from gateway.model import Body, Envelope, Peer, Reply
from gateway.smtp import commands
from gateway.smtp.connection import Connection
from gateway.smtp.data import DataStream
from gateway.smtp.spool import Spool

if TYPE_CHECKING:
    from gateway.smtp.server import Server

_log = logging.getLogger("gateway.smtp")

LINE_LIMIT = 2048  # octets of a command line; RFC 5321 §4.5.3.1.4 asks for 512 and more with extensions
CHUNK = 1 << 18
BURST = 8192  # bytes of gathered replies after which other sessions get their turn
BOGUS_LIMIT = 5  # unknown commands in one session

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Transaction:
    """A mail transaction between MAIL and the end of DATA (RFC 5321 §3.3)."""

    __slots__ = ("mail", "rcpt_to")

    def __init__(self, mail: commands.Mail) -> None:
        self.mail = mail
        self.rcpt_to: dict[str, None] = {}  # in order, each once


class Session(Connection):
    """One client's dialogue."""

    def __init__(self, server: Server, listener: str, max_size: int) -> None:
        super().__init__(server, listener)
        self.max_size = max_size
        self.transaction: Transaction | None = None
        self._extended = False
        self._bogus = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the dialogue; the server decides whether this client gets one."""
        super().connection_made(transport)
        self.server.sessions[self] = None

    def connection_lost(self, error: Exception | None) -> None:
        """Ends the dialogue. A commit that runs goes on: it is a task of the server."""
        super().connection_lost(error)
        self.server.forget(self)

    # --- the command loop -----------------------------------------------------------------------------------

    async def _handle_client(self) -> None:
        refusal = self.server.admit(self)
        if refusal is not None:
            self._reply(refusal)
            self._close()
            return
        try:
            self.say(220, None, f"{self.hostname} ESMTP")
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

    async def _command_line(self) -> bytes | None:
        """The next line without its end; None when it was too long, which ends the session."""
        if b"\n" not in self._buffered:
            await self._flush()
        elif len(self._replies) > BURST:
            await self._flush()
            await asyncio.sleep(0)
        self.idle_since = self.loop.time()
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            line = b""
        if line and len(line) <= LINE_LIMIT:
            return line.rstrip(b"\r\n")
        self._refuse(Reply(code=500, enhanced="5.5.2", text="Line too long"), "command line too long")
        self._close()
        return None

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

    def _unknown(self, verb: str) -> None:
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
            self._extended = False
            self.say(250, None, self.hostname)

    async def smtp_EHLO(self, hostname: str) -> None:
        """RFC 5321 §4.1.1.1; the whole answer in one write, because crude clients read once."""
        if self._greet("EHLO", hostname):
            self._extended = True
            lines = (self.hostname, "PIPELINING", f"SIZE {self.max_size}", "8BITMIME", "ENHANCEDSTATUSCODES")
            self._replies += "".join(f"250-{line}\r\n" for line in lines).encode("ascii", "replace")
            self.say(250, None, "SMTPUTF8")

    def _greet(self, verb: str, hostname: str) -> bool:
        if not hostname:
            self.say(501, "5.5.4", f"Syntax: {verb} hostname")
            return False
        self.transaction = None
        helo = hostname[:255].encode("utf-8", "replace").decode()
        self.peer = Peer(host=self.peer.host, port=self.peer.port, helo=helo, listener=self.listener)
        return True

    async def smtp_MAIL(self, argument: str) -> None:
        """RFC 5321 §4.1.1.2."""
        if not self.peer.helo:
            self.say(503, "5.5.1", "Send EHLO first")
            return
        if self.transaction is not None:
            self.say(503, "5.5.1", "A transaction has begun already")
            return
        mail = commands.mail(argument, extended=self._extended, max_size=self.max_size)
        if isinstance(mail, Reply):
            self._refuse(mail, mail.text, argument)
        elif self._has_room(mail.size):
            self.transaction = Transaction(mail)
            self.say(250, "2.1.0", "Ok")

    async def smtp_RCPT(self, argument: str) -> None:
        """RFC 5321 §4.1.1.3."""
        if self.transaction is None:
            self.say(503, "5.5.1", "Send MAIL first")
            return
        address = commands.rcpt(argument, utf8=self.transaction.mail.smtputf8)
        if isinstance(address, Reply):
            self._refuse(address, address.text, argument)
        elif len(self.transaction.rcpt_to) >= self.server.limits.recipients:
            self.say(452, "4.5.3", "Too many recipients")
        else:
            self.transaction.rcpt_to[address] = None
            self.say(250, "2.1.5", "Ok")

    async def smtp_DATA(self, argument: str) -> None:
        """RFC 5321 §4.1.1.4. Nothing of a content that does not reach its end is kept."""
        transaction = self.transaction
        if argument:
            self.say(501, "5.5.4", "Syntax: DATA")
        elif transaction is None or not transaction.rcpt_to:
            self.say(503, "5.5.1", "Send MAIL and RCPT first")
        elif self._has_room(transaction.mail.size):
            try:
                self._reply(await self._content(transaction))
            finally:
                self.state = "command"
                self.transaction = None
            self._reset_timeout()

    async def _content(self, transaction: Transaction) -> Reply:
        """Reads a content to its end and has it stored; the spool is closed here or, once there, by the commit."""
        spool = self.server.spool(self.max_size)
        stream = DataStream()
        try:
            # RFC 2920 §3.1: a client waits for the answer to DATA; one that did not is noted.
            early = bool(self._buffered)
            await self._read_content(stream, spool)
            refusal, body = self._judge(stream, spool)
        except BaseException:
            spool.close()
            raise
        if body is None:
            spool.close()
            return refusal
        self.state = "commit"
        mail = transaction.mail
        envelope = Envelope(mail_from=mail.sender, rcpt_to=tuple(transaction.rcpt_to), smtputf8=mail.smtputf8)
        return await self.server.commit(self, envelope, body, spool, _notes(stream, early=early))

    async def _read_content(self, stream: DataStream, spool: Spool) -> None:
        """Returns at the end of the content, or when there is so much that no end is waited for."""
        self.say(354, None, "End data with <CR><LF>.<CR><LF>")
        self.state = "data"
        self._reset_timeout(self.server.limits.data_timeout)
        await self._flush()
        line_limit = self.server.limits.content_line
        while not stream.ended and stream.received <= 2 * self.max_size and stream.line <= line_limit:
            piece = await self._reader.read(CHUNK)
            if not piece:
                raise asyncio.IncompleteReadError(b"", None)
            self._progress = True
            spool.write(stream.feed(piece))
        self._buffered[:0] = stream.rest  # commands of a client that pipelines

    def _judge(self, stream: DataStream, spool: Spool) -> tuple[Reply, Body | None]:
        """The content, or the reply that refuses it."""
        if not stream.ended:  # whoever goes on for so long will not stop: the rest is not read
            self.leaving = Reply(code=421, enhanced="4.7.0", text="Closing the connection")
        if spool.too_large or not stream.ended:
            maillog.refused(self.peer, "content too large", self.source_name)
            return Reply(code=552, enhanced="5.3.4", text=f"A message may have {self.max_size} bytes here"), None
        reply = Reply(code=452, enhanced="4.3.1", text="No room for this message now, try again later")
        return reply, spool.body()

    @property
    def _buffered(self) -> bytearray:
        """What the reader holds already; StreamReader has no public name for it, and upstream uses this one too."""
        return self._reader._buffer  # type: ignore[attr-defined,no-any-return]

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
        **dict.fromkeys(("EXPN", "HELP", "AUTH", "STARTTLS", "BDAT", "ETRN", "TURN"), smtp_EXPN),
    }


def _notes(stream: DataStream, *, early: bool) -> str:
    """What was odd about a content, for the mail log."""
    odd = {"bare_lf": stream.bare_lf, "bare_cr": stream.bare_cr, "early_data": int(early)}
    return ",".join(f"{name}:{count}" for name, count in odd.items() if count)
