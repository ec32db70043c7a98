"""Header fields as bytes: text made safe, encoded, folded, and checked after writing (RFC 5322, 2047, 2231).

Whatever a document says may end up in a header field. Text is cleaned of everything that ends a line or turns
the writing direction, encoded by the few rules below, and `check_header` looks at the finished block once more:
the stdlib's generators have let `=?utf-8?q?x=0D=0ABcc=3A?=` write a field of its own (CVE-2024-6923).
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from gateway.errors import Unconvertible

CHARSETS = ("utf-8", "cp1252")  # of 8-bit text that does not say its own: RFC 6532, else what Windows wrote
MAX_LINE = 998  # octets without CRLF, RFC 5322 §2.1.1
FOLD = 78  # where lines should end, RFC 5322 §2.1.1
WORD = 75  # the longest encoded word, RFC 2047 §2
ENCODED_LINE = 76  # the longest line that holds an encoded word, RFC 2047 §2

_SPACES = re.compile(r"[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029 ]+")
# C0, DEL, C1, bidirectional controls, byte order mark, surrogates and noncharacters: never shown, only misused
_UNSAFE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffc\ufffe\uffff\ud800-\udfff]"
)
_ENCODED = re.compile(r"=\?([A-Za-z0-9_-]+)(?:\*[A-Za-z0-9-]*)?\?([bBqQ])\?([^?\s]*)\?=")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_ADDRESS = re.compile(
    r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r'|"(?:[ !#-\[\]-~]|\\[ -~])*")'
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[A-Za-z0-9.:]+\])"
)
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")  # RFC 2047 §5 (3)
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*+"|<[^>]*>|\([^()]*\)|[^"<>(),;:@]+|.')
_ADDRESS_FIELDS = frozenset(
    b"to cc from sender reply-to resent-to resent-cc resent-from resent-sender resent-reply-to "
    b"disposition-notification-to return-receipt-to".split()
)
_FIELD_NAME = re.compile(rb"[!-9;-~]+")
_BAD_IN_LINE = re.compile(rb"[^\t -~]")


def clean_text(text: str) -> str:
    """`text` as one line in NFC: line ends and runs of blanks become one space, controls vanish.

    `=?` is broken up, so that no reader, however often it decodes, finds an encoded word that the text brought along.
    """
    if text.isascii() and text.isprintable() and "  " not in text and "=?" not in text:
        return text.strip()
    line = _SPACES.sub(" ", _UNSAFE.sub("", unicodedata.normalize("NFC", text))).strip()
    return line.replace("=?", "= ?")


def clean_lines(text: str) -> str:
    """`text` of many lines with `\\n` between them, without controls (tabs stay)."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n")
    return _UNSAFE.sub("", re.sub("[\u2028\u2029]", "\n", re.sub("[\v\f\x1c-\x1f]", " ", lines)))


def fold(words: Iterable[bytes], used: int, limit: int = FOLD) -> bytes:
    """`words` joined by single spaces, or by CRLF and a space where the line would pass `limit`.

    `used` counts the octets that stand before the first word. A word longer than a line keeps a line of its own.
    """
    out: list[bytes] = []
    for word in words:
        if out and used + 1 + len(word) > limit:
            out.append(b"\r\n ")
            used = 1
        elif out:
            out.append(b" ")
            used += 1
        out.append(word)
        used += len(word)
    return b"".join(out)


def encoded_words(text: str, used: int) -> bytes:
    """`text` as encoded words of whole characters, one a line, Q or B, whichever is shorter (RFC 2047 §5 (3))."""
    data = text.encode()
    special = sum(octet not in _Q_SAFE and octet != 0x20 for octet in data)
    quoted = len(data) + 2 * special <= (len(data) + 2) // 3 * 4
    room = max(min(WORD, ENCODED_LINE - used), 24)
    out: list[bytes] = []
    part = b""
    for character in text:
        octets = _quote(character) if quoted else character.encode()
        size = len(part) + len(octets)
        if 12 + (size if quoted else (size + 2) // 3 * 4) > room:
            out.append(_word(part, quoted))
            part, room = b"", WORD
        part += octets
    out.append(_word(part, quoted))
    return b"\r\n ".join(out)


def _quote(character: str) -> bytes:
    if character == " ":
        return b"_"
    return b"".join(b"%c" % octet if octet in _Q_SAFE else b"=%02X" % octet for octet in character.encode())


def _word(part: bytes, quoted: bool) -> bytes:
    return b"=?utf-8?q?" + part + b"?=" if quoted else b"=?utf-8?b?" + base64.b64encode(part) + b"?="


def text_value(text: str, used: int) -> bytes:
    """An unstructured value (Subject): plain where it is ASCII, else encoded; `used` octets stand before it."""
    text = clean_text(text)
    if text.isascii():
        words = text.encode("ascii").split(b" ")
        if all(len(word) < FOLD - used for word in words):
            return fold(words, used)
    return encoded_words(text, used)


def phrase(text: str, used: int) -> bytes:
    """A display name: atoms, a quoted string or encoded words, as it needs (RFC 5322 §3.2.5)."""
    text = clean_text(text)
    if text.isascii() and len(text) < FOLD - 2 - used:
        if _ATOMS.fullmatch(text):
            return text.encode("ascii")
        quoted = '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
        if len(quoted) <= FOLD - used:
            return quoted.encode("ascii")
    return encoded_words(text, used)


def address_value(address: str) -> bytes:
    """One addr-spec in ASCII; Unconvertible("address", …) for anything that could be more than one."""
    if len(address) > 320 or not _ADDRESS.fullmatch(address):
        raise Unconvertible("address", f"The address {address[:80]!r} cannot stand in a header field.")
    return address.encode("ascii")


def mailbox(name: str, address: str, used: int) -> bytes:
    """`name <address>`, or the address alone when there is no name."""
    spec = address_value(address)
    if not clean_text(name):
        return spec
    shown = phrase(name, used)
    last = shown.rfind(b"\n") + 1
    column = len(shown) - last + (0 if last else used)
    return shown + (b" <" if column + len(spec) + 3 <= FOLD else b"\r\n <") + spec + b">"


def address_list(addresses: Sequence[str], used: int) -> bytes:
    """Addresses separated by commas, folded between them."""
    specs = [address_value(address) for address in addresses]
    return fold([spec + b"," for spec in specs[:-1]] + specs[-1:], used)


def parameter(name: str, value: str) -> list[bytes]:
    """A MIME parameter as lines without separators.

    ASCII: `name="value"`. Else the same with a plain ASCII likeness, for readers of old, followed by the true value
    in the pieces of RFC 2231 §3 and §4, none of which splits a character.
    """
    value = clean_text(value)
    likeness = _likeness(value)
    plain = f'{name}="{likeness}"'.encode()
    if likeness == value:
        return [plain]
    room = FOLD - 2 - len(name) - len("*10*=")
    pieces = ["utf-8''"]
    for character in value:
        octets = quote(character, safe="!#$&+-.^_`{|}~")  # attribute-char, RFC 2231 §7
        if len(pieces[-1]) + len(octets) > room:
            pieces.append("")
        pieces[-1] += octets
    if len(pieces) == 1:
        return [plain, f"{name}*={pieces[0]}".encode()]
    return [plain] + [f"{name}*{number}*={piece}".encode() for number, piece in enumerate(pieces)]


def _likeness(value: str) -> str:
    """`value` in ASCII that can stand between quotes; accents fall off, what has no likeness vanishes."""
    text = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode()
    text = re.sub(r"[^ -~]|[\"\\]", "_", text).strip().replace("=?", "= ?")
    return "document" + text if not text or (text.startswith(".") and not value.startswith(".")) else text


def with_parameters(value: str, parameters: Iterable[bytes]) -> bytes:
    """`value; parameter; …`, a parameter a line."""
    return b";\r\n ".join([value.encode("ascii"), *parameters])


def decode_octets(value: bytes, charsets: Sequence[str] = CHARSETS) -> str:
    """Octets of an unknown charset as text: by the first of `charsets` in which they are that, else by the last."""
    for charset in charsets:
        try:
            return value.decode(charset)
        except UnicodeDecodeError:
            continue
    return value.decode(charsets[-1], "replace")


def display_name(value: bytes, charsets: Sequence[str] = CHARSETS) -> str:
    """The display name of the first mailbox in somebody else's From, clean and decoded; "" when it has none."""
    text = decode_octets(value[:4096], charsets).replace("\r\n", "")
    named = re.match(r'((?:"(?:[^"\\]|\\.)*+"|[^"<,])*)<', text) or re.match(r"[^\"<(,]+\(([^()]*)\)", text)
    shown = named[1].strip() if named else ""
    if len(shown) > 1 and shown[0] == shown[-1] == '"':
        shown = re.sub(r"\\(.)", r"\1", shown[1:-1])
    return _decode_words(shown)


def _decode_words(text: str) -> str:
    joined = re.sub(r"(\?=)[ \t]+(?==\?[A-Za-z0-9_-]+(?:\*[A-Za-z0-9-]*)?\?[bBqQ]\?)", r"\1", text)
    return clean_text(_ENCODED.sub(_decoded, joined))


def _decoded(match: re.Match[str]) -> str:
    charset, encoding, part = match.groups()
    if "escape" in charset.lower():  # Python's own codecs are no charsets
        return match[0]
    try:
        if encoding in "bB":
            octets = base64.b64decode(part + "=" * (-len(part) % 4))
        else:
            spaced = part.replace("_", " ").encode("latin-1")
            octets = re.sub(rb"=([0-9A-Fa-f]{2})", lambda code: bytes([int(code[1], 16)]), spaced)
        return octets.decode(charset, "replace")
    except (LookupError, ValueError):  # an unknown charset, or no base64: shown as it came
        return match[0]


def repair(name: bytes, value: bytes, charsets: Sequence[str] = CHARSETS) -> bytes:
    """Somebody else's field, without its last CRLF: as it came where it may stand so.

    Otherwise raw 8-bit text, which `charsets` tell, is encoded, control characters become spaces, and lines above 998
    octets are folded.
    """
    lines = value.split(b"\r\n")
    if all(len(line) < MAX_LINE - len(name) and not _BAD_IN_LINE.search(line) for line in lines):
        return name + b":" + value
    used = len(name) + 2
    text = _SPACES.sub(" ", re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", decode_octets(value, charsets))).strip()
    if text.isascii():
        return name + b": " + fold(text.encode("ascii").split(), used)
    lower = name.lower()
    if lower in _ADDRESS_FIELDS:
        return name + b": " + _repair_mailboxes(text, used)
    if lower.startswith(b"content-"):
        return name + b": " + _repair_parameters(text)
    return name + b": " + text_value(_decode_words(text), used)


def _repair_mailboxes(text: str, used: int) -> bytes:
    """Addresses whose display names and comments hold raw text."""
    tokens = _TOKENS.findall(text) if len(text) <= 8192 else [text, "@"]
    out: list[bytes] = []
    for number, token in enumerate(tokens):
        if token.isascii():
            out.append(token.encode("ascii"))
        elif token[0] == "<" or "@" in (*tokens[number + 1 : number + 2], *tokens[max(number - 1, 0) : number]):
            # an address that only SMTPUTF8 could carry: an empty group that names it, RFC 6857 §3.1.8
            return encoded_words(clean_text(text), used) + b" :;"
        elif token[0] == '"':
            out.append(encoded_words(clean_text(re.sub(r"\\(.)", r"\1", token[1:-1])), used))
        elif token[0] == "(":
            out.append(b"(" + encoded_words(clean_text(token[1:-1]), used) + b")")
        else:
            out.append(b" " + encoded_words(_decode_words(token), used) + b" ")
    return fold(b"".join(out).split(), used, ENCODED_LINE)


def _repair_parameters(text: str) -> bytes:
    """A MIME field whose quoted parameters hold raw text."""
    pieces = re.findall(r'(?:[^";]|"(?:[^"\\]|\\.)*+"?)+', text[:8192])
    out: list[bytes] = []
    for piece in pieces:
        name, equals, value = piece.strip().partition("=")
        if equals and not value.isascii() and name.isascii():
            plain = re.sub(r"\\(.)", r"\1", value[1:-1]) if value[:1] == '"' else value
            out.extend(parameter(name, plain))
        else:
            out.append(piece.strip().encode("ascii", "replace"))
    return b";\r\n ".join(part for part in out if part)


def split_fields(block: bytes) -> list[tuple[bytes, bytes]]:
    """(name, value with its inner CRLF, without the last) of each field; lines that are no field are skipped."""
    fields: list[tuple[bytes, bytes]] = []
    for line in block.split(b"\r\n"):
        if line[:1] in (b" ", b"\t"):
            if fields and line.strip():
                fields[-1] = (fields[-1][0], fields[-1][1] + b"\r\n" + line)
            continue
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" \t")
        if colon and _FIELD_NAME.fullmatch(name):
            fields.append((name, value))
    return fields


def check_header(block: bytes, expected: Sequence[str]) -> None:
    """Look at a finished block of CRLF-ended lines: exactly the fields `expected`, in that order, and nothing else.

    Unconvertible("header", …) when a line is too long, empty, neither a field nor a continuation, or holds an octet
    that is not printable ASCII. It never depends on how the block was made.
    """
    if not block.endswith(b"\r\n"):
        raise Unconvertible("header", "The header block does not end with a line end.")
    names: list[str] = []
    for line in block[:-2].split(b"\r\n"):
        if len(line) > MAX_LINE or not line.strip(b" \t") or _BAD_IN_LINE.search(line):
            raise Unconvertible("header", "The header block holds a line that is empty, too long or not plain ASCII.")
        if line[:1] in (b" ", b"\t"):
            if not names:
                raise Unconvertible("header", "The header block starts with a continuation.")
            continue
        name, colon, _ = line.partition(b":")
        if not colon or not _FIELD_NAME.fullmatch(name):
            raise Unconvertible("header", "The header block holds a line that is no field.")
        names.append(name.decode("ascii").lower())
    if names != [name.lower() for name in expected]:
        raise Unconvertible("header", "The header block holds other fields than those that were written.")
