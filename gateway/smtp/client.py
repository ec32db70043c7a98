"""Sending mail to one SMTP server (RFC 5321 as a client): pipelined, several messages per connection.

Whatever the server says or does ends as an `Outcome`; see `retry.classify` for what is final and what is not.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from dataclasses import dataclass, replace
from typing import Literal

from gateway import retry
from gateway.errors import GatewayError
from gateway.model import Canonical, Envelope, Outcome, Reply, Result
from gateway.retry import Stage
from gateway.smtp.dialing import dial
from gateway.smtp.link import Link, LinkLost, describe
from gateway.smtp.replies import Answer

CONNECT_DEADLINE = 30.0  # seconds
COMMAND_DEADLINE = 300.0  # RFC 5321 §4.5.3.2.1-4
FINAL_DEADLINE = 600.0  # RFC 5321 §4.5.3.2.6: after the dot, where an impatient client makes duplicates
TOTAL_DEADLINE = 1080.0  # one whole delivery; shorter than the queue's lease
GOODBYE_DEADLINE = 2.0
MAX_MESSAGES = 100  # per connection
MAX_AGE = 300.0  # seconds a connection is used for

_DOT = re.compile(rb"\n\.")  # found faster than bytes that begin with CR
_NOT_CRLF = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")
_UNQUOTED_UNSAFE = re.compile(r"[\s<>]")


@dataclass(frozen=True, slots=True)
class Server:
    """Where to and how; `context` is made for `verify`, or for `opportunistic` without verification."""

    host: str
    port: int
    hostname: str  # ours, for EHLO
    tls: Literal["verify", "opportunistic", "none"]
    context: ssl.SSLContext | None = None
    implicit: bool = False  # TLS from the first byte (RFC 8314)
    user: str | None = None
    password: str | None = None
    address: str | None = None  # of `host`, where somebody has looked it up already
    connect_deadline: float | None = None  # seconds; None: CONNECT_DEADLINE
    greeting_deadline: float | None = None  # None: COMMAND_DEADLINE


@dataclass(frozen=True, slots=True)
class Content:
    """A message ready for DATA: dots stuffed, final dot included; `size` is that of the message (RFC 1870 §5)."""

    data: bytes
    size: int
    eight_bit: bool
    utf8_header: bool


def prepare(message: bytes) -> Content:
    """`message` for DATA, done once however often it is tried. ValueError unless every line ends in CRLF.

    A lone CR or LF is what smuggles a second message into this one at a server that takes it for a line's end.
    """
    if not (isinstance(message, Canonical) or _ends_in_crlf(message)):
        raise ValueError(f"the message has a lone CR or LF at {_position(message)}")
    data = message if message.endswith(b"\r\n") else message + b"\r\n"
    size = len(data)
    if not isinstance(message, Canonical) or message.dotted:
        data = _stuffed(data)
    eight_bit = not message.isascii()
    header = message[: message.find(b"\r\n\r\n") + 1] if eight_bit else b""
    return Content(data + b".\r\n", size, eight_bit, not header.isascii())


def _stuffed(data: bytes) -> bytes:
    """`data` with a dot before each that begins a line (RFC 5321 §4.5.2)."""
    if _DOT.search(data):
        data = data.replace(b"\r\n.", b"\r\n..")
    return b"." + data if data.startswith(b".") else data


def _ends_in_crlf(message: bytes) -> bool:
    pairs = message.count(b"\r\n")
    return message.count(b"\n") == pairs == message.count(b"\r")


def _position(message: bytes) -> int:
    found = _NOT_CRLF.search(message)
    return -1 if found is None else found.start()


class _Stopped(GatewayError):
    """The session or the transaction cannot go on; carries how it ended."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reply.text)
        self.outcome = outcome


async def open_session(server: Server, until: float) -> Session | Outcome:
    """Connect, greet, secure and log in before loop time `until`; a Session, or why there is none.

    With `opportunistic`, a server that cannot do the TLS it offers gets the mail in clear (RFC 7435 §3), never a
    password.
    """
    opened = await _open(server, until)
    if not isinstance(opened, Outcome) or opened.reply.enhanced != "4.7.5":
        return opened
    if server.tls == "opportunistic" and not server.implicit and server.user is None:
        reopened = await _open(replace(server, tls="none"), until)
        if isinstance(reopened, Session):
            reopened.tls = f"none: {opened.reply.text}"
        return reopened
    return opened


async def _open(server: Server, until: float) -> Session | Outcome:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(min(until, loop.time() + (server.connect_deadline or CONNECT_DEADLINE))):
            reached = await dial(server.address or server.host, server.port)
            _, link = await loop.create_connection(Link, sock=reached)
    except (OSError, TimeoutError, UnicodeError) as error:  # UnicodeError: a host name that IDNA cannot encode
        name = peer_name(server, server.address or server.host)
        return retry.failed("4.4.1", f"cannot connect to {name}: {describe(error)}", peer=name)
    link.until = until
    session = Session(server, link)
    try:
        await session.start()
    except _Stopped as error:
        session.abort()
        return error.outcome
    except asyncio.CancelledError:
        session.abort()
        raise
    return session


class Session:
    """A connection on which mails can be sent, one after the other. Made by `open_session`."""

    def __init__(self, server: Server, link: Link) -> None:
        self._server = server
        self._link = link
        self._offers: dict[str, str] = {}  # EHLO keyword in upper case -> parameters
        self._messages = 0
        self._stage = Stage.CONNECT
        self._dirty = False  # a transaction was begun and not ended: RSET before the next
        self._closing = False
        self.tls = ""
        address = link.extra("peername")
        self.peer = peer_name(server, address[0] if isinstance(address, tuple) else "?")
        self.expires = asyncio.get_running_loop().time() + MAX_AGE

    @property
    def reusable(self) -> bool:
        """Whether a further message may go over this connection."""
        in_time = asyncio.get_running_loop().time() < self.expires
        return self._link.usable and not self._closing and self._messages < MAX_MESSAGES and in_time

    # --- the session -------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Greeting, EHLO, STARTTLS and AUTH as the server's settings ask; _Stopped when one of them fails."""
        if self._server.implicit:
            await self._handshake()
        await self._expect(Stage.CONNECT, None, 220, self._server.greeting_deadline)
        await self._hello()
        if self._server.tls != "none" and not self._server.implicit:
            await self._secure()
        if self._server.user is not None:
            await self._log_in(self._server.user, self._server.password or "")

    async def _hello(self) -> None:
        name = self._server.hostname.encode()
        answer = await self._ask(Stage.EHLO, b"EHLO " + name)
        if answer.code in (500, 502) and self._server.tls != "verify":  # RFC 5321 §3.2: from before 2001
            answer = await self._ask(Stage.EHLO, b"HELO " + name)
        if answer.code != 250:
            raise self._stopped(answer, Stage.EHLO)
        self._offers = {}
        for line in answer.lines[1:]:
            keyword, _, parameters = line.decode("ascii", "replace").replace("=", " ", 1).partition(" ")
            self._offers[keyword.upper()] = parameters

    async def _secure(self) -> None:
        if "STARTTLS" not in self._offers:
            if self._server.tls == "verify":
                raise self._failure("4.7.4", "the server does not offer STARTTLS, and relay.tls is verify")
            return
        await self._expect(Stage.STARTTLS, b"STARTTLS", 220)
        # Whatever came in clear after the 220 would be read as the answer to a command sent under TLS (CVE-2011-0411
        # turned round), so it ends the session: RFC 3207 §4.2 wants all knowledge from before discarded.
        if not self._link.quiet:
            raise self._failure("4.7.5", "the server sent replies in clear after STARTTLS")
        await self._handshake()
        if not self._link.quiet:
            raise self._failure("4.7.5", "the server sent replies in clear after STARTTLS")
        await self._hello()

    async def _handshake(self) -> None:
        assert self._server.context is not None, "TLS without a context"
        try:
            await self._link.start_tls(self._server.context, self._server.host, CONNECT_DEADLINE)
        except LinkLost as error:
            raise self._lost(error) from error
        secured = self._link.extra("ssl_object")
        assert isinstance(secured, ssl.SSLObject)
        self.tls = " ".join(filter(None, (secured.version(), (secured.cipher() or ("",))[0])))
        if self._server.tls == "verify":
            self.tls += " verified"

    async def _log_in(self, user: str, password: str) -> None:
        if not self.tls and self._server.tls != "none":
            raise self._failure("4.7.0", "the password is not sent without TLS, which the server does not offer")
        mechanisms = self._offers.get("AUTH", "").upper().split()
        if "PLAIN" in mechanisms:  # RFC 4616
            await self._expect(Stage.AUTH, b"AUTH PLAIN " + _base64(f"\0{user}\0{password}"), 235)
        elif "LOGIN" in mechanisms:
            await self._expect(Stage.AUTH, b"AUTH LOGIN", 334)
            await self._expect(Stage.AUTH, _base64(user), 334)
            await self._expect(Stage.AUTH, _base64(password), 235)
        else:
            raise self._failure("4.7.0", "the server offers neither AUTH PLAIN nor AUTH LOGIN")

    async def quit(self) -> None:
        """Say QUIT and close; never waits long."""
        if self._link.usable and not self._closing:
            try:
                self._link.send(b"QUIT\r\n")
                await self._link.reply(GOODBYE_DEADLINE)
            except LinkLost:
                pass  # it went first
        self._link.close()

    def abort(self) -> None:
        """Close at once."""
        self._closing = True
        self._link.abort()

    # --- a transaction -----------------------------------------------------------------------------------

    async def deliver(self, envelope: Envelope, content: Content, until: float) -> Outcome | None:
        """Send `content` for the one address of `envelope` before loop time `until`.

        None when a kept connection turns out to be closed before it took anything: another one may be tried.
        """
        commands = self._commands(envelope, content)
        if isinstance(commands, Outcome):
            return commands
        self._link.until = until
        self._messages += 1
        self._stage = Stage.MAIL
        try:
            await self._envelope(commands)
            return await self._content(content)
        except LinkLost as error:
            if error.closed and self._stage is Stage.MAIL and self._messages > 1:
                return None
            return self._lost(error).outcome
        except _Stopped as error:
            if error.outcome.reply.code == 421:
                self._closing = True
                if self._stage is Stage.MAIL and self._messages > 1:
                    return None
            return error.outcome

    def _commands(self, envelope: Envelope, content: Content) -> list[bytes] | Outcome:
        """MAIL, RCPT and DATA for this server, or what it cannot do for this message."""
        sender, address = envelope.mail_from, envelope.rcpt_to[0]
        for mailbox, enhanced in ((sender, "5.1.7"), (address, "5.1.3")):
            if _unsafe(mailbox):
                return self._refused(553, enhanced, "the address cannot be written in an SMTP command")
        parameters = ""
        if "SIZE" in self._offers:  # RFC 1870
            limit = self._offers["SIZE"]
            if limit.isdecimal() and 0 < int(limit) < content.size:
                text = f"the message has {content.size} bytes, the server takes {int(limit)}"
                return self._refused(552, "5.3.4", text)
            parameters += f" SIZE={content.size}"
        if content.eight_bit:  # it is signed, so it cannot be recoded (RFC 6152 §3)
            if "8BITMIME" not in self._offers:
                return self._refused(554, "5.6.3", "the message has 8-bit lines, which the server does not take")
            parameters += " BODY=8BITMIME"
        if not (sender + address).isascii() or (envelope.smtputf8 and content.utf8_header):
            if "SMTPUTF8" not in self._offers:  # RFC 6531 §3.2
                return self._refused(553, "5.6.7", "the server does not take addresses or headers in UTF-8")
            parameters += " SMTPUTF8"
        return [f"MAIL FROM:<{sender}>{parameters}".encode(), f"RCPT TO:<{address}>".encode(), b"DATA"]

    async def _envelope(self, commands: list[bytes]) -> None:
        """Up to the 354; _Stopped with the first refusal."""
        pipelined = "PIPELINING" in self._offers
        stages = [Stage.MAIL, Stage.RCPT, Stage.DATA]
        if self._dirty:
            commands, stages = [b"RSET", *commands], [Stage.MAIL, *stages]
        if pipelined:  # RFC 2920 §3.1: DATA ends the group
            self._link.send(b"\r\n".join(commands) + b"\r\n")
        refusal: _Stopped | None = None
        for command, stage in zip(commands, stages, strict=True):
            if not pipelined:
                self._link.send(command + b"\r\n")
            answer = await self._link.reply(COMMAND_DEADLINE)
            if refusal is None and answer.code // 100 != (3 if stage is Stage.DATA else 2):
                refusal = self._stopped(answer, stage)
            if answer.code == 421 or (refusal is not None and not pipelined):
                break
            if command != b"RSET":
                self._dirty, self._stage = True, _AFTER[stage]
        if refusal is not None:
            if pipelined and stage is Stage.DATA and answer.code == 354:
                # RFC 2920 §3.1: DATA was taken though the one address was not; the dot ends an empty message
                self._link.send(b".\r\n")
                await self._link.reply(FINAL_DEADLINE)
            raise refusal

    async def _content(self, content: Content) -> Outcome:
        dotted = False
        try:
            await self._link.send_content(content.data)
            dotted = True
            answer = await self._link.reply(FINAL_DEADLINE)
        except LinkLost as error:
            early = self._link.early_reply()
            if early is not None and not dotted:
                self._closing = True
                return self._stopped(early, Stage.CONTENT).outcome
            return self._lost(error, possibly_sent=dotted).outcome
        self._dirty = False
        self._closing = answer.code == 421
        if answer.code // 100 == 2:
            return retry.classify(answer.reply(), Stage.CONTENT, peer=self.peer, tls=self.tls)
        return self._stopped(answer, Stage.CONTENT).outcome

    # --- small things ------------------------------------------------------------------------------------

    async def _ask(self, stage: Stage, command: bytes | None, seconds: float | None = None) -> Answer:
        self._stage = stage
        try:
            if command is not None:
                self._link.send(command + b"\r\n")
            return await self._link.reply(seconds or COMMAND_DEADLINE)
        except LinkLost as error:
            raise self._lost(error) from error

    async def _expect(self, stage: Stage, command: bytes | None, code: int, seconds: float | None = None) -> None:
        answer = await self._ask(stage, command, seconds)
        if answer.code != code:
            raise self._stopped(answer, stage)

    def _stopped(self, answer: Answer, stage: Stage) -> _Stopped:
        """What an answer other than the one hoped for means."""
        if answer.code < 400 or (answer.code >= 500 and answer.garbled):  # which nothing final is built on
            self._closing = True  # client and server no longer talk about the same thing
            text = f"the server answered {answer.code} to {stage}: {answer.reply().text}"
            return self._failure("4.5.0", text, possibly_sent=stage is Stage.CONTENT)
        return _Stopped(retry.classify(answer.reply(), stage, peer=self.peer, tls=self.tls))

    def _failure(self, enhanced: str, text: str, possibly_sent: bool = False) -> _Stopped:
        return _Stopped(retry.failed(enhanced, text, peer=self.peer, tls=self.tls, possibly_sent=possibly_sent))

    def _lost(self, error: LinkLost, possibly_sent: bool = False) -> _Stopped:
        self._closing = True
        return self._failure(error.enhanced, f"{error.sentence} ({self._stage})", possibly_sent)

    def _refused(self, code: int, enhanced: str, text: str) -> Outcome:
        """Our own refusal of what this server cannot take, in the words the server would have used."""
        reply = Reply(code=code, enhanced=enhanced, text=text)
        scope: retry.Scope = "address" if enhanced.startswith("5.1.") else "message"
        return Outcome(result=Result.PERMANENT, reply=reply, peer=self.peer, tls=self.tls, scope=scope)


def peer_name(server: Server, address: str) -> str:
    """Name and address of `server`, as they are written beside an attempt."""
    return f"{server.host}[{address}]:{server.port}" if address != server.host else f"{address}:{server.port}"


_AFTER = {Stage.MAIL: Stage.RCPT, Stage.RCPT: Stage.DATA, Stage.DATA: Stage.CONTENT}


def _unsafe(mailbox: str) -> bool:
    """Whether `mailbox` could end its command or its brackets; addresses were parsed long before, this is the edge."""
    return bool(_UNSAFE.search(mailbox) or (not mailbox.startswith('"') and _UNQUOTED_UNSAFE.search(mailbox)))


def _base64(text: str) -> bytes:
    return base64.b64encode(text.encode())
