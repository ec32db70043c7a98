"""A connection that a client can secure and prove itself on: STARTTLS and AUTH."""

from __future__ import annotations

import asyncio
import datetime as dt

import msgspec

from gateway import maillog
from gateway.model import Reply
from gateway.smtp import auth, tls
from gateway.smtp.connection import Connection

_NOT_BASE64 = Reply(code=501, enhanced="5.5.2", text="This is not base64")
_MALFORMED = Reply(code=501, enhanced="5.5.2", text="This is no answer of this mechanism")
_CANCELLED = Reply(code=501, enhanced="5.7.0", text="Authentication cancelled")
_TOO_LONG = Reply(code=500, enhanced="5.5.6", text="Line too long")
_CLEAR = Reply(code=538, enhanced="5.7.11", text="Encryption required, use TLS first")
_LOG_IN = Reply(code=530, enhanced="5.7.0", text="Authentication required")
_TOO_MANY = Reply(code=421, enhanced="4.7.0", text="Too many failed logins, try again later")
_USERNAME, _PASSWORD = "VXNlcm5hbWU6", "UGFzc3dvcmQ6"  # "Username:", "Password:": some clients look for these


def today() -> dt.date:
    """The day by which relaxations end."""
    return dt.datetime.now(dt.UTC).date()


class Secured(Connection):
    """Adds TLS and AUTH to a connection; `Session` adds the mail."""

    # --- TLS ------------------------------------------------------------------------------------------------

    async def _start_tls(self) -> bool:
        """Makes the handshake with what the client has sent of it so far; False, and closed, when it fails."""
        raw = self.transport
        assert raw is not None
        received = bytes(self._buffered)
        self._buffered.clear()
        limits = self.server.limits
        context = self.entrance.tls.context(today())
        self.over_tls = True
        try:
            secured = await tls.shake_hands(
                raw, self, context, received, seconds=limits.handshake_timeout, linger=limits.tls_linger
            )
        except OSError as error:
            weak = self.entrance.listener.weak
            ended = "" if weak is None or weak.holds(today()) else f"; older ones were taken until {weak.expires}"
            maillog.refused(self.peer, f"TLS: {tls.why(error)}{ended}", self.source_name)
            raw.abort()
            self.connection_lost(error)  # asyncio tells the protocol above TLS only when the handshake was done
            return False
        self.transport = secured
        self.secure = secured.get_extra_info("ssl_object").version()
        if self.secure in ("TLSv1", "TLSv1.1"):
            self.notes[self.secure.lower()] += 1
        return True

    async def smtp_STARTTLS(self, argument: str) -> None:
        """RFC 3207: nothing that was said before counts after it, by either side."""
        if self.entrance.listener.tls != "starttls":
            self.say(502, "5.5.1", "Command not implemented")
        elif self.secure or self.peer.user:
            self.say(503, "5.5.1", "Not now")
        elif argument:
            self.say(501, "5.5.4", "Syntax: STARTTLS")
        elif self._buffered:  # would be taken for something said under TLS (CVE-2011-0411)
            self._refuse(Reply(code=554, enhanced="5.5.0", text="Wait for the answer"), "commands after STARTTLS")
            self._close()
        else:
            self.say(220, "2.0.0", "Ready to start TLS")
            self._write_replies()
            if await self._start_tls():
                self.transaction = None
                self.extended = False
                self.peer = msgspec.structs.replace(self.peer, helo="")

    async def _begins_with_tls(self) -> bool:
        """Whether a client that has to read a greeting first sends a handshake instead (RFC 8446 §5.1); the log says
        so, and the session is over."""
        await self._flush()
        if not self._buffered and not self._ended:
            await self._more_bytes()
        begins = self._buffered.startswith(b"\x16\x03")
        if begins:
            has = "has STARTTLS" if self.entrance.listener.tls == "starttls" else "has no TLS"
            maillog.refused(self.peer, f"the client begins with TLS, and this listener {has}: implicit is another port")
        return begins

    # --- AUTH -----------------------------------------------------------------------------------------------

    def connection_lost(self, error: Exception | None) -> None:
        """A client that left because it found no way to log in is told of: somebody waits for its mail."""
        unheard = self.source is None and self.peer.helo and not (self.over_tls or self._asked or self._errors)
        if unheard and self.server.passwords and not self._offers_auth():
            ended = self.server.passwords.ended(today())
            maillog.refused(self.peer, f"it left without a mail: AUTH is offered after TLS only{ended}")
        super().connection_lost(error)

    def _ask_to_log_in(self) -> None:
        """Nothing comes in from a stranger; the log says so once a session."""
        if not self._asked:
            self._asked = True
            maillog.refused(self.peer, "MAIL before AUTH, and no source lists this address")
        self._reply(_LOG_IN)

    def _offers_auth(self) -> bool:
        passwords = self.server.passwords
        return bool(passwords) and (bool(self.secure) or passwords.in_clear(today()))

    async def smtp_AUTH(self, argument: str) -> None:
        """RFC 4954, with PLAIN (RFC 4616) and LOGIN."""
        mechanism, _, initial = argument.partition(" ")
        refusal = self._auth_refusal(mechanism.upper())
        if refusal is not None:
            if refusal is _CLEAR:
                ended = self.server.passwords.ended(today())
                maillog.refused(self.peer, f"AUTH without TLS, and no source takes that{ended}")
            self._reply(refusal)
            return
        if self.server.guesses.too_many(self.peer.host, self.loop.time()):
            self._give_up("too many wrong passwords from this address")
            return
        dialogue = self._plain if mechanism.upper() == "PLAIN" else self._login
        claim = await dialogue(initial.strip())
        if isinstance(claim, auth.Claim):
            await self._judge_claim(claim)
        else:
            self._reply(claim)

    def _auth_refusal(self, mechanism: str) -> Reply | None:
        passwords = self.server.passwords
        if not passwords:
            return Reply(code=502, enhanced="5.5.1", text="Command not implemented")
        if not self._offers_auth():
            return _CLEAR
        if not self.peer.helo or not (self.extended or passwords.after_helo()):
            return Reply(code=503, enhanced="5.5.1", text="Send EHLO first")
        if self.peer.user or self.transaction is not None:
            return Reply(code=503, enhanced="5.5.1", text="Not now")
        if mechanism not in ("PLAIN", "LOGIN"):
            return Reply(code=504, enhanced="5.5.4", text="Mechanisms are PLAIN and LOGIN")
        return None

    async def _plain(self, initial: str) -> auth.Claim | Reply:
        message = auth.decode(initial) if initial else await self._ask("")
        if not isinstance(message, bytes):
            return message or _NOT_BASE64
        return auth.plain(message) or _MALFORMED

    async def _login(self, initial: str) -> auth.Claim | Reply:
        user = auth.decode(initial) if initial else await self._ask(_USERNAME)
        if not isinstance(user, bytes):
            return user or _NOT_BASE64
        password = await self._ask(_PASSWORD)
        return auth.login(user, password) if isinstance(password, bytes) else password

    async def _ask(self, challenge: str) -> bytes | Reply:
        self.say(334, None, challenge)
        await self._flush()
        self._reset_timeout()
        try:
            line = await self.readuntil()
        except asyncio.LimitOverrunError:
            self.leaving = _TOO_LONG
            return _TOO_LONG
        if len(line) > auth.MAX_RESPONSE:
            return _TOO_LONG
        text = line.rstrip(b"\r\n").decode("ascii", "replace")
        if text == "*":
            return _CANCELLED
        data = auth.decode(text)
        return _NOT_BASE64 if data is None else data

    async def _judge_claim(self, claim: auth.Claim) -> None:
        server = self.server
        secure = bool(self.secure)
        source, why = await server.passwords.check(claim, secure=secure, extended=self.extended, today=today())
        now = self.loop.time()
        if server.guesses.too_many(self.peer.host, now):  # others of this address guessed meanwhile
            self._give_up("too many wrong passwords from this address")
        elif source is None:
            await self._wrong(claim, why, now)
        elif not server.enter(self, source):
            self._refuse(_TOO_MANY, f"{source.max_connections} connections are open")
            self._close()
        else:
            server.guesses.right(self.peer.host, claim.user)
            self.peer = msgspec.structs.replace(self.peer, user=claim.user)
            self.notes.update({"auth_in_clear": not secure, "auth_after_helo": not self.extended})
            self.say(235, "2.7.0", "Authentication succeeded")

    async def _wrong(self, claim: auth.Claim, why: str, now: float) -> None:
        """The answer is late, and later each time: a guess costs time and holds one of few connections."""
        delay = self.server.guesses.failed(self.peer.host, claim.user, now)
        self._auth_errors += 1
        maillog.refused(self.peer, f"AUTH as {claim.user}: {why}", self.source_name)
        await asyncio.sleep(delay)
        if self._auth_errors >= self.server.limits.auth_errors:
            self._give_up("too many wrong passwords in one session")
        else:
            self.say(535, "5.7.8", "User name or password is wrong")

    def _give_up(self, reason: str) -> None:
        self._refuse(_TOO_MANY, reason)
        self._close()
