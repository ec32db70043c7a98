"""Mail addresses: one strict parser for everything that is or becomes an envelope address (RFC 5321 §4.1.2)."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

import idna

from gateway.errors import Refused

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOT_STRING = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PLAIN = re.compile(rf"({_ATEXT}(?:\.{_ATEXT})*)@({_LABEL}(?:\.{_LABEL})*)")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_QUOTED_PAIR = re.compile(r"\\(.)")
_MUST_QUOTE = re.compile(r'(["\\])')
_ITEM = re.compile(r'(?:[^;,"]|"[^"]*"|")+')

# What hides at the ends of pasted text beside white space: soft hyphen, zero width, direction marks, BOM.
_INVISIBLE = (
    "\u00ad\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)

_LOCAL_LIMIT = 64  # octets, RFC 5321 §4.5.3.1.1
_DOMAIN_LIMIT = 255  # octets, RFC 5321 §4.5.3.1.2
_ADDRESS_LIMIT = 254  # a path is 256 octets with its angle brackets, RFC 5321 §4.5.3.1.3


def parse(text: str, *, utf8: bool = False, bare: bool = False) -> str:
    """The mailbox in `text`, normalised: quoted only where it must be, domain in lower case A-labels.

    `utf8` allows a local part beyond ASCII (RFC 6531 §3.3), which comes back in NFC. `bare` allows what machines
    say in SMTP: no domain (`123456`, `postmaster`), an address literal (`scan@[10.0.0.3]`), digits as domain.
    Refused, field `email`, when it is none; nothing is trimmed or repaired.
    """
    if len(text) > 4 * _ADDRESS_LIMIT:
        raise Refused(f"An address of {len(text)} characters is too long", "email")
    plain = _PLAIN.fullmatch(text)
    if plain:
        local, domain = plain[1], plain[2].lower()
    else:
        local, domain = _split(text, bare)
        local = _local_part(text, local, utf8)
        domain = _domain(text, domain, bare)
    if not bare and domain.rpartition(".")[2].isdigit():
        raise _refused(text, "its domain is a number")
    return _limited(text, local, domain)


def split_list(text: str) -> tuple[str, ...]:
    """The items of a field that holds several addresses: split at `;` and `,` outside quotes, trimmed of white
    space and invisible characters, empties dropped. Nothing is validated."""
    if ";" not in text and "," not in text:
        only = _trim(text)
        return (only,) if only else ()
    items = map(_trim, _ITEM.findall(text))
    return tuple(item for item in items if item)


def _trim(text: str) -> str:
    if text.isascii():
        return text.strip()
    before = None
    while text != before:
        before, text = text, text.strip().strip(_INVISIBLE)
    return text


def _refused(text: str, reason: str) -> Refused:
    shown = text if len(text) <= 80 else text[:79] + "…"
    return Refused(f"{shown!r} is not an e-mail address: {reason}", "email")


def _split(text: str, bare: bool) -> tuple[str, str]:
    """Local part as written and domain (empty when there is none and `bare` allows it)."""
    if not text:
        raise _refused(text, "it is empty")
    if text.startswith("@"):
        raise _refused(text, "nothing stands before the @")  # a source route starts so, RFC 5321 appendix C
    at = _QUOTED.match(text)
    local = text[: at.end()] if at else text.rpartition("@")[0]
    if local and text[len(local) : len(local) + 1] == "@":
        if len(text) == len(local) + 1:
            raise _refused(text, "nothing stands after the @")
        return local, text[len(local) + 1 :]
    if not bare or "@" in text[len(local) :]:
        raise _refused(text, "the @ is missing" if "@" not in text else "text follows the quoted part")
    return text, ""


def _local_part(text: str, local: str, utf8: bool) -> str:
    if not local.isascii():
        if not utf8:
            raise _refused(text, "the part before the @ has letters beyond ASCII")
        local = unicodedata.normalize("NFC", local)
    if any(unicodedata.category(letter)[0] in "CZ" and letter != " " for letter in local):
        raise _refused(text, "it contains a control or invisible character")
    quoted = _QUOTED.fullmatch(local)
    if quoted:
        local = _QUOTED_PAIR.sub(r"\1", quoted[1])
    if _is_dot_string(local):
        return local
    if not quoted or not local:
        raise _refused(text, "the part before the @ is not written as RFC 5321 says")
    return '"' + _MUST_QUOTE.sub(r"\\\1", local) + '"'


def _is_dot_string(local: str) -> bool:
    """Whether `local` needs no quotes; letters beyond ASCII are atext (RFC 6531 §3.3)."""
    return bool(_DOT_STRING.fullmatch(re.sub(r"[^\x00-\x7f]", "x", local)))


def _domain(text: str, domain: str, bare: bool) -> str:
    if not domain and bare:
        return ""
    if domain.startswith("["):
        if not bare:
            raise _refused(text, "its domain is an address literal")
        return _literal(text, domain)
    if len(domain) > _DOMAIN_LIMIT:
        raise _refused(text, "its domain is too long")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError) as error:
            raise _refused(text, "its domain is not a valid international name") from error
    if not _DOMAIN.fullmatch(domain):
        raise _refused(text, "its domain is not a domain name")
    return domain.lower()


def _literal(text: str, domain: str) -> str:
    """An address literal (RFC 5321 §4.1.3), IPv4 or IPv6, in its canonical spelling."""
    inside = domain[1:-1] if domain.endswith("]") else ""
    try:
        if inside[:5].lower() == "ipv6:":
            if "%" in inside:
                raise ValueError("a zone belongs to one host only")
            return f"[IPv6:{ipaddress.IPv6Address(inside[5:])}]"
        return f"[{ipaddress.IPv4Address(inside)}]"
    except ValueError as error:
        raise _refused(text, "the address in its brackets is none") from error


def _limited(text: str, local: str, domain: str) -> str:
    octets = len(local) if local.isascii() else len(local.encode())
    if octets > _LOCAL_LIMIT:
        raise _refused(text, f"the part before the @ is longer than {_LOCAL_LIMIT} octets")
    if len(domain) > _DOMAIN_LIMIT or octets + 1 + len(domain) > _ADDRESS_LIMIT:
        raise _refused(text, f"it is longer than {_ADDRESS_LIMIT} octets")
    return f"{local}@{domain}" if domain else local
