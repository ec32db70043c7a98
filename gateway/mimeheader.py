"""Header fields of a mail that came in: unfolded, decoded, with parameters and mailboxes (RFC 5322, 2045, 2047, 2231).

Reading is lenient, since legacy systems write anything; whatever comes out is a value without controls.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

MAX_VALUE = 8 << 10  # characters of a structured field: longer ones are cut before they are taken apart
MAX_NAME = 200  # characters of a file name
CHARSETS = ("utf-8", "cp1252")  # of 8-bit text, which no standard allows: RFC 6532, else what Windows wrote

_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_LINE = re.compile(rb"\r?\n")
_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*+"?|[^;]*)')
_ESCAPED = re.compile(r"\\(.)")
_SECTION = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?")
_WORD = re.compile(r"=\?([A-Za-z0-9._:-]{1,40})(?:\*[A-Za-z0-9-]*)?\?([bBqQ])\?([^?\s]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)\s+(?==\?)")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+"')
_COMMENT = re.compile(r"\([^()]*\)")
_ANGLE = re.compile(r"<([^<>]*)>")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")


class Headers:
    """The fields of one header block, by lower-case name, in order."""

    def __init__(self, fields: list[tuple[str, str]], *, is_raw: bool = False) -> None:
        self._fields = fields
        self.is_raw = is_raw  # it had bytes that no standard allows: RFC 6532 allows UTF-8

    @classmethod
    def parse(cls, block: bytes, charsets: Sequence[str] = CHARSETS) -> Headers:
        """The fields of `block`, bytes beyond ASCII by `charsets`; lines that are none are left out."""
        lines = _LINE.split(_FOLD.sub(b"", block))
        matches = (_FIELD.fullmatch(line) for line in lines)
        fields = [(match[1].decode("ascii").lower(), decode(match[2], charsets).strip()) for match in matches if match]
        return cls(fields, is_raw=not _is_utf8(block))

    def __len__(self) -> int:
        return len(self._fields)

    def all(self, name: str) -> list[str]:
        """The values of every field `name`."""
        return [value for field, value in self._fields if field == name]

    def first(self, name: str) -> str:
        """The value of the first field `name`, empty when there is none."""
        return next((value for field, value in self._fields if field == name), "")

    def parameters(self, name: str) -> tuple[str, dict[str, str]]:
        """The value of a structured field in lower case and its parameters, decoded.

        A Content-Type that is missing or makes no sense is `text/plain` (RFC 2045 §5.2).
        """
        text = self.first(name)[:MAX_VALUE]
        value, _, _ = text.partition(";")
        value = value.strip().lower()
        if name == "content-type" and not _MEDIA_TYPE.fullmatch(value):
            value = "text/plain"
        return value, _parameters(text)

    def mailboxes(self, name: str) -> tuple[str, ...]:
        """The addresses in all fields `name`, as written, without display names and comments."""
        found: list[str] = []
        for value in self.all(name):
            text = _COMMENT.sub(" ", _QUOTED.sub(_keep_local_part, value[:MAX_VALUE]))
            for item in re.split("[,;]", text):
                angle = _ANGLE.search(item)
                mailbox = (angle[1] if angle else item.rpartition(":")[2]).strip()
                if "@" in mailbox and not re.search(r"[\s<>]", mailbox):
                    found.append(mailbox[:320])
        return tuple(found[:100])

    def only_mailbox(self, name: str) -> str:
        """The one address of field `name`; empty when there is none, or several, or the field comes twice."""
        found = self.mailboxes(name) if len(self.all(name)) == 1 else ()
        return found[0] if len(found) == 1 else ""


def _keep_local_part(match: re.Match[str]) -> str:
    """A quoted string is a display name and goes, unless it is the local part of an address."""
    return match[0] if match.string[match.end() : match.end() + 1] == "@" else " "


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def decode(raw: bytes, charsets: Sequence[str] = CHARSETS) -> str:
    """Text of which nothing says its charset: by the first of `charsets` in which it is text, else by the last."""
    for charset in charsets:
        try:
            return raw.decode(charset)
        except UnicodeDecodeError:
            continue
    return raw.decode(charsets[-1], "replace")


def decode_words(text: str) -> str:
    """`text` with its encoded words (RFC 2047) decoded once, controls and line ends made blanks."""
    decoded = _WORD.sub(_decode_word, _BETWEEN_WORDS.sub(r"\1", text))
    return " ".join(_CONTROLS.sub(" ", decoded).split())


def _decode_word(match: re.Match[str]) -> str:
    charset, encoding, text = match[1], match[2], match[3]
    try:
        if encoding in "bB":
            raw = binascii.a2b_base64(text + "=" * (-len(text) % 4))
        else:
            raw = binascii.a2b_qp(text.encode("ascii"), header=True)
        return _decode_charset(raw, charset) or match[0]
    except (binascii.Error, UnicodeError, ValueError):
        return match[0]


def _decode_charset(raw: bytes, charset: str) -> str | None:
    try:
        decoded = raw.decode(charset, "replace")
    except (LookupError, UnicodeError, ValueError):
        return None
    return decoded if isinstance(decoded, str) else None


def _parameters(text: str) -> dict[str, str]:
    """The parameters of a structured field: plain, quoted, in pieces and with a charset (RFC 2231)."""
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in _PARAMETER.finditer(text):
        value = match[2].strip()
        if value.startswith('"'):
            value = _ESCAPED.sub(r"\1", value[1:].removesuffix('"'))
        section = _SECTION.fullmatch(match[1].lower())
        if section is None:
            continue
        name, number, is_encoded = section[1], section[2], bool(section[3])
        if number is None and not is_encoded:
            plain.setdefault(name, value)
        else:
            pieces.setdefault(name, {}).setdefault(int(number or 0), (value, is_encoded))
    decoded = {name: decode_words(value) for name, value in plain.items() if name != "boundary"}
    if "boundary" in plain:
        decoded["boundary"] = plain["boundary"][:200]
    return decoded | {name: _join(sections) for name, sections in pieces.items()}


def _join(sections: dict[int, tuple[str, bool]]) -> str:
    """RFC 2231 §3 and §4: the pieces in order; the first encoded one names the charset."""
    charset = "utf-8"
    raw = b""
    for number in sorted(sections):
        value, is_encoded = sections[number]
        if is_encoded and number == 0 and value.count("'") >= 2:
            charset, _, value = value.split("'", 2)
        raw += unquote_to_bytes(value) if is_encoded else value.encode("utf-8", "replace")
    return " ".join(_CONTROLS.sub(" ", _decode_charset(raw, charset or "utf-8") or decode(raw)).split())


def without_controls(text: str) -> str:
    """`text` without controls, line ends and marks that turn its direction."""
    return _CONTROLS.sub("", text)


def file_name(text: str) -> str:
    """`text` as a plain file name: no folders of any system, no controls, bounded; empty when nothing is left."""
    name = re.split(r"[/\\]", without_controls(text))[-1].strip()
    if len(name) > MAX_NAME:
        stem, dot, extension = name.rpartition(".")
        name = (stem or name)[: MAX_NAME - 20] + (dot + extension)[:20]
    return "" if not name.strip(". ") else name
