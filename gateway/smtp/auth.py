"""AUTH: what a client says for itself, and whether it is true (RFC 4954, RFC 4616)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import datetime as dt
import re
import secrets
from collections.abc import Iterable
from typing import NamedTuple

import argon2

from gateway.config import Source

CHECKS = 2  # passwords checked at a time: each takes a core and some memory
MAX_RESPONSE = 12288  # octets of one line of an AUTH dialogue, RFC 4954 §4

_PARAMETERS = re.compile(r"(\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$)[^$]+\$.+")
_DUMMY = "$argon2id$v=19$m=19456,t=2,p=1$"


class Claim(NamedTuple):
    """A user name and the password said for it."""

    user: str
    password: bytes


def decode(text: str) -> bytes | None:
    """A line of base64; `=` alone is the empty one (RFC 4954 §4). None when it is none."""
    if text == "=":
        return b""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def plain(message: bytes) -> Claim | None:
    """The claim in a message of PLAIN; None when it is malformed or would act for somebody else."""
    parts = message.split(b"\0")
    if len(parts) != 3 or not parts[1] or parts[0] not in (b"", parts[1]):
        return None
    return Claim(_name(parts[1]), parts[2])


def login(user: bytes, password: bytes) -> Claim:
    """The claim of LOGIN's two answers."""
    return Claim(_name(user), password)


def _name(user: bytes) -> str:
    try:
        return user.decode()
    except UnicodeDecodeError:
        return user.decode("latin-1")


class Passwords:
    """The sources with a user; checks passwords off the loop, few at a time, and as slowly for an unknown user."""

    def __init__(self, sources: Iterable[Source]) -> None:
        self._sources = {source.user: source for source in sources if source.user is not None}
        self._hasher = argon2.PasswordHasher()
        self._turns = asyncio.Semaphore(CHECKS)
        self._dummy = _dummy(self._sources.values())

    def __bool__(self) -> bool:
        return bool(self._sources)

    def in_clear(self, today: dt.date) -> bool:
        """Whether any source takes its password without TLS."""
        return any(_in_clear(source, today) for source in self._sources.values())

    def ended(self, today: dt.date) -> str:
        """Which sources took their password in clear once, for the log: `; plain_auth of sap ended on 2026-01-31`."""
        past = ((source.name, source.plain_auth) for source in self._sources.values() if source.plain_auth is not None)
        return "".join(f"; plain_auth of {name} ended on {was.expires}" for name, was in past if not was.holds(today))

    def after_helo(self) -> bool:
        """Whether any source logs in after HELO."""
        return any(source.auth_after_helo for source in self._sources.values())

    async def check(self, claim: Claim, *, secure: bool, extended: bool, today: dt.date) -> tuple[Source | None, str]:
        """The source that the claim is true for; else None, and for the log why.

        `secure`: the password came through TLS; `extended`: after EHLO.
        """
        source = self._sources.get(claim.user)
        known = self._dummy if source is None else source.password_hash or self._dummy
        async with self._turns:
            right = await asyncio.to_thread(self._verify, known, claim.password)
        if source is None:
            return None, "unknown user"
        if not right:
            return None, "wrong password"
        if not secure and not _in_clear(source, today):
            return None, "its password came in clear: use TLS, or plain_auth"
        if not extended and not source.auth_after_helo:
            return None, "AUTH after HELO needs auth_after_helo"
        return source, ""

    def _verify(self, known: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(known, password)
        except argon2.exceptions.Argon2Error:
            return False


def _in_clear(source: Source, today: dt.date) -> bool:
    return source.plain_auth is not None and source.plain_auth.holds(today)


def _dummy(sources: Iterable[Source]) -> str:
    """A hash that nobody knows a password for, as costly as the first source's."""
    first = next((source.password_hash for source in sources if source.password_hash), None)
    found = _PARAMETERS.fullmatch(first or "")
    return f"{found[1] if found else _DUMMY}{_random(16)}${_random(32)}"


def _random(size: int) -> str:
    return base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
