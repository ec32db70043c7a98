"""Arguments of MAIL and RCPT: text in, values or the reply that refuses them out (RFC 5321 §4.1.2, §4.1.1.11)."""

from __future__ import annotations

import re
from typing import NamedTuple

from gateway import address
from gateway.errors import Refused
from gateway.model import Reply

_PATH = re.compile(r'<((?:"(?:[^"\\]|\\.)*"|[^">])*)>(?:[ \t]+(.*))?')
_NO_BRACKETS = re.compile(r"([^<> \t]+)(?:[ \t]+(.*))?")
_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")

Parameters = dict[str, str]


class Mail(NamedTuple):
    """What MAIL says: the sender (empty: the null reverse-path), the size announced (0: none), SMTPUTF8."""

    sender: str
    size: int
    smtputf8: bool


def mail(argument: str, *, extended: bool, max_size: int) -> Mail | Reply:
    """`FROM:<path> [parameters]`; `extended` after EHLO, `max_size` in bytes (RFC 1870)."""
    split = _split(argument, "FROM:")
    if split is None:
        return Reply(code=501, enhanced="5.5.4", text="Syntax: MAIL FROM:<address>")
    path, parameters = split
    known = {"SIZE", "BODY", "SMTPUTF8"} if extended else set()
    if not parameters.keys() <= known:
        return Reply(code=555, enhanced="5.5.4", text="A parameter of MAIL is not known here")
    size = parameters.get("SIZE", "0")
    if not (size.isascii() and size.isdigit() and len(size) <= 20):
        return Reply(code=501, enhanced="5.5.4", text="SIZE takes a number of bytes")
    if parameters.get("BODY", "7BIT").upper() not in ("7BIT", "8BITMIME"):
        return Reply(code=501, enhanced="5.5.4", text="BODY takes 7BIT or 8BITMIME")
    if parameters.get("SMTPUTF8"):
        return Reply(code=501, enhanced="5.5.4", text="SMTPUTF8 takes no value")
    if int(size) > max_size:
        return Reply(code=552, enhanced="5.3.4", text=f"A message may have {max_size} bytes here")
    utf8 = "SMTPUTF8" in parameters
    sender = _mailbox(path, utf8=utf8, enhanced="5.1.7") if path else ""
    return sender if isinstance(sender, Reply) else Mail(sender, int(size), utf8)


def rcpt(argument: str, *, utf8: bool) -> str | Reply:
    """`TO:<path>`; `utf8` when MAIL said SMTPUTF8. No parameter is known."""
    split = _split(argument, "TO:")
    if split is None:
        return Reply(code=501, enhanced="5.5.4", text="Syntax: RCPT TO:<address>")
    path, parameters = split
    if parameters:
        return Reply(code=555, enhanced="5.5.4", text="A parameter of RCPT is not known here")
    return _mailbox(path, utf8=utf8, enhanced="5.1.3")


def _split(argument: str, keyword: str) -> tuple[str, Parameters] | None:
    """Path without its angle brackets, and parameters with their keywords in upper case; None when malformed.

    Space after the colon and missing brackets are borne: scanners and old ERPs write both.
    """
    if argument[: len(keyword)].upper() != keyword:
        return None
    rest = argument[len(keyword) :].strip(" \t")
    match = _PATH.fullmatch(rest) or _NO_BRACKETS.fullmatch(rest)
    if match is None:
        return None
    parameters: Parameters = {}
    for word in (match[2] or "").split():
        key, equals, value = word.partition("=")
        if not _KEYWORD.fullmatch(key) or (equals and not value) or key.upper() in parameters:
            return None
        parameters[key.upper()] = value
    return match[1], parameters


def _mailbox(path: str, *, utf8: bool, enhanced: str) -> str | Reply:
    if not utf8 and not path.isascii():
        return Reply(code=553, enhanced="5.6.7", text="This address needs SMTPUTF8")  # RFC 6531 §3.5
    try:
        return address.parse(path, utf8=utf8, bare=True)
    except Refused:
        return Reply(code=553, enhanced=enhanced, text="This is not a mail address")
