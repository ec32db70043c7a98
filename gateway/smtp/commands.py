"""Arguments of MAIL and RCPT: text in, values or the reply that refuses them out (RFC 5321 §4.1.2, §4.1.1.11)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from gateway import address, mimeheader
from gateway.errors import Refused
from gateway.model import Reply

_PATH = re.compile(r'<((?:"(?:[^"\\]|\\.)*"|[^">])*)>(?:[ \t]+(.*))?')
_NO_BRACKETS = re.compile(r"([^<> \t]+)(?:[ \t]+(.*))?")
_KEYWORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")

_NO_DOMAIN = re.compile(r"[A-Za-z0-9._-]+@")

Parameters = dict[str, str]


_DSN = re.compile(r"[!-~]{1,500}")


class Mail(NamedTuple):
    """What MAIL says: the sender (empty: the null reverse-path), the size announced (0: none), SMTPUTF8, and what was
    odd: that it asks for delivery status notifications (RFC 3461), that the sender has letters beyond ASCII without
    SMTPUTF8. Both are borne: nobody is notified, and nothing is ever sent to the sender."""

    sender: str
    size: int
    smtputf8: bool
    notes: tuple[str, ...] = ()


class Rcpt(NamedTuple):
    """What RCPT says: the address, and what was odd about it."""

    address: str
    notes: tuple[str, ...] = ()


class Transaction:
    """A mail transaction between MAIL and the end of DATA (RFC 5321 §3.3)."""

    __slots__ = ("mail", "rcpt_to")

    def __init__(self, mail: Mail) -> None:
        self.mail = mail
        self.rcpt_to: dict[str, None] = {}  # in order, each once


def mail(
    argument: str, *, extended: bool, max_size: int, charsets: Sequence[str] = mimeheader.CHARSETS
) -> Mail | Reply:
    """`FROM:<path> [parameters]`; `extended` after EHLO, `max_size` in bytes (RFC 1870), `charsets` those in which old
    machines write."""
    split = _split(argument, "FROM:")
    if split is None:
        return Reply(code=501, enhanced="5.5.4", text="Syntax: MAIL FROM:<address>")
    path, parameters = split
    known = {"SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH"} if extended else set()
    if not parameters.keys() <= known:
        return Reply(code=555, enhanced="5.5.4", text="A parameter of MAIL is not known here")
    size = parameters.get("SIZE", "0")
    if not (size.isascii() and size.isdigit() and len(size) <= 20):
        return Reply(code=501, enhanced="5.5.4", text="SIZE takes a number of bytes")
    if parameters.get("BODY", "7BIT").upper() not in ("7BIT", "8BITMIME"):
        return Reply(code=501, enhanced="5.5.4", text="BODY takes 7BIT or 8BITMIME")
    if not all(_DSN.fullmatch(parameters.get(key, "x")) for key in ("RET", "ENVID", "AUTH")):
        return Reply(code=501, enhanced="5.5.4", text="RET, ENVID and AUTH take a value")
    if parameters.get("SMTPUTF8"):
        return Reply(code=501, enhanced="5.5.4", text="SMTPUTF8 takes no value")
    if int(size) > max_size:
        return Reply(code=552, enhanced="5.3.4", text=f"A message may have {max_size} bytes here")
    utf8 = "SMTPUTF8" in parameters
    notes = ("dsn",) if "RET" in parameters or "ENVID" in parameters else ()
    if not utf8 and not path.isascii():
        path, notes = mimeheader.decode(path.encode("utf-8", "surrogateescape"), charsets), (*notes, "sender_not_ascii")
    sender = _mailbox(path, utf8=True, enhanced="5.1.7") if path else ""
    return sender if isinstance(sender, Reply) else Mail(sender, int(size), utf8, notes)


def rcpt(argument: str, *, utf8: bool, extended: bool) -> Rcpt | Reply:
    """`TO:<path> [parameters]`; `utf8` when MAIL said SMTPUTF8, `extended` after EHLO.

    NOTIFY and ORCPT (RFC 3461) are borne; a number with an @ and no domain is the number.
    """
    split = _split(argument, "TO:")
    if split is None:
        return Reply(code=501, enhanced="5.5.4", text="Syntax: RCPT TO:<address>")
    path, parameters = split
    if not parameters.keys() <= ({"NOTIFY", "ORCPT"} if extended else set()):
        return Reply(code=555, enhanced="5.5.4", text="A parameter of RCPT is not known here")
    if not all(_DSN.fullmatch(value) for value in parameters.values()):
        return Reply(code=501, enhanced="5.5.4", text="NOTIFY and ORCPT take a value")
    notes = ("dsn",) if parameters else ()
    if _NO_DOMAIN.fullmatch(path):
        path, notes = path[:-1], (*notes, "no_domain")
    address = _mailbox(path, utf8=utf8, enhanced="5.1.3")
    return address if isinstance(address, Reply) else Rcpt(address, notes)


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
