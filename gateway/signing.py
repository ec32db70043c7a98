"""DKIM signatures on OpenSSL (RFC 6376, 8301, 8463): relaxed/relaxed, every header oversigned, no `l=`.

Two keys sign side by side; the body is hashed once for both. Only `load_key` touches the disk.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import logging
import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa, utils

from gateway.errors import ConfigError, Unconvertible
from gateway.model import Canonical, Value

Algorithm = Literal["rsa", "ed25519"]

# Each is listed once more than it is there, so that none can be added (RFC 6376 §5.4.2, §8.15): replies and money
# follow Reply-To, eyes follow Subject and Cc, and readers show what Content-Type says.
OVERSIGNED = (
    b"from sender reply-to to cc subject date message-id in-reply-to references auto-submitted mime-version "
    b"content-type content-transfer-encoding content-disposition content-description content-id "
    b"list-unsubscribe list-unsubscribe-post".split()
)
_OVERSIGNED = frozenset(OVERSIGNED)
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_LINE = 76  # octets of a folded signature line
_PIECE = 16 * 1024  # so small that most hold nothing but base64 and need no second look
_BLANKS = re.compile(rb"[ \t]+")
_PKCS1 = padding.PKCS1v15()
_DIGEST = utils.Prehashed(hashes.SHA256())
_MIN_BITS, _MAX_BITS = 2048, 4096  # what signers should use and verifiers must know, RFC 8301 §3.2
_silent = logging.getLogger("gateway.signing.dkimpy")  # its reasons are in what `verify` returns
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


class Key(Value, frozen=True, kw_only=True):
    """A private key under the selector by which its public half is published."""

    selector: str
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

    @property
    def algorithm(self) -> Algorithm:
        """`rsa` or `ed25519`, as the record's `k=` says it."""
        return "rsa" if isinstance(self.private, rsa.RSAPrivateKey) else "ed25519"

    def sign(self, digest: bytes) -> bytes:
        """The signature over a SHA-256 digest."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(digest, _PKCS1, _DIGEST)
        return self.private.sign(digest)  # Ed25519 over the digest, RFC 8463 §3


# --- keys ------------------------------------------------------------------------------------------------


def load_key(selector: str, path: Path) -> Key:
    """The key in the PEM file `path`. ConfigError, naming the file, when it cannot be had or others can read it."""
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise ConfigError(f"DKIM key {path} is not a file.", "dkim.keys")
            if facts.st_mode & 0o027:
                mode = stat.S_IMODE(facts.st_mode)
                raise ConfigError(f"DKIM key {path} has mode {mode:04o}: others can use it; chmod 0600.", "dkim.keys")
            pem = file.read(64 * 1024)
    except OSError as error:
        raise ConfigError(f"DKIM key {path} cannot be read: {error.strerror}.", "dkim.keys") from error
    try:
        return parse_key(selector, pem)
    except ConfigError as error:
        raise ConfigError(f"DKIM key {path}: {error.sentence}", "dkim.keys") from error


def load_keys(files: Iterable[tuple[str, Path]]) -> tuple[Key, ...]:
    """The keys of (selector, file); ConfigError at the first that cannot be used: mail waits, never goes unsigned."""
    return tuple(load_key(selector, path) for selector, path in files)


def parse_key(selector: str, pem: bytes) -> Key:
    """The RSA (2048 to 4096 bits) or Ed25519 key in `pem`; ConfigError when it is none."""
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise ConfigError("the key is encrypted; it must stand there without a password.") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError("this is no private key in PEM.") from error
    if isinstance(private, rsa.RSAPrivateKey):
        if not _MIN_BITS <= private.key_size <= _MAX_BITS:
            raise ConfigError(f"an RSA key of {private.key_size} bits; {_MIN_BITS} to {_MAX_BITS} are needed.")
        return Key(selector=selector, private=private)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return Key(selector=selector, private=private)
    raise ConfigError("the key is neither RSA nor Ed25519.")


def generate(algorithm: Algorithm) -> bytes:
    """A new private key in PEM (PKCS #8): RSA-2048 or Ed25519."""
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    if algorithm == "rsa":
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    else:
        private = ed25519.Ed25519PrivateKey.generate()
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def dns_record(key: Key, domain: str) -> tuple[str, str]:
    """Name (no last dot) and value of the TXT record that publishes `key` (RFC 6376 §3.6.1, RFC 8463 §4).

    Without a domain the name is relative to its zone.
    """
    public = key.private.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        data = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    else:
        data = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    value = f"v=DKIM1; k={key.algorithm}; p={base64.b64encode(data).decode()}"
    return f"{key.selector}._domainkey.{domain}".rstrip("."), value


def zone_line(name: str, value: str) -> str:
    """The record as a line of a zone file, `name` as given; one string holds 255 octets at most (RFC 1035 §3.3)."""
    strings = " ".join(f'"{value[at : at + 255]}"' for at in range(0, len(value), 255))
    return f"{name} IN TXT ( {strings} )"


# --- signing ---------------------------------------------------------------------------------------------


def sign(header: bytes, body: bytes, domain: str, keys: Sequence[Key], now: dt.datetime, *, start: int = 0) -> bytes:
    """DKIM-Signature fields, one per key, CRLF-ended, to stand before `header`.

    `header` is the block of CRLF-ended fields without the empty line, all that follows it is `body` from `start` on.
    Unconvertible("line-ending", …) when a CR or LF stands alone: what is signed must be what arrives.
    ConfigError without a key.
    """
    if not keys:
        raise ConfigError("There is no DKIM key, and mail never leaves unsigned.", "dkim.keys")
    _check_line_ends(header)
    body_hash = BodyHash(is_canonical=isinstance(body, Canonical))
    for at in range(start, len(body), _PIECE):
        body_hash.update(body[at : at + _PIECE])
    digest = base64.b64encode(body_hash.digest())
    names, signed = _signed_fields(header)
    fields = [_signature(names, signed, digest, domain.encode("ascii"), key, now) for key in keys]
    return b"".join(fields)


def sign_message(content: bytes, domain: str, keys: Sequence[Key], now: dt.datetime) -> bytes:
    """`sign` for a whole message: header, empty line, body."""
    end = content.find(b"\r\n\r\n")
    if end < 0:
        raise Unconvertible("header", "The message has no empty line after its header.")
    return sign(content[: end + 2], content, domain, keys, now, start=end + 4)


def _signature(
    names: tuple[bytes, ...], signed: bytes, digest: bytes, domain: bytes, key: Key, now: dt.datetime
) -> bytes:
    tags = b"v=1; a=%b-sha256; c=relaxed/relaxed; d=%b;\r\n s=%b; t=%d;\r\n h=%b;\r\n bh=%b;\r\n b=" % (
        key.algorithm.encode("ascii"),
        domain,
        key.selector.encode("ascii"),
        int(now.timestamp()),
        _fold_names(names),
        digest,
    )
    value = base64.b64encode(key.sign(hashlib.sha256(signed + _relaxed_field(b"dkim-signature", tags)).digest()))
    lines = [value[: _LINE - 3], *(value[at : at + _LINE - 1] for at in range(_LINE - 3, len(value), _LINE - 1))]
    return b"DKIM-Signature: " + tags + b"\r\n ".join(lines) + b"\r\n"


@lru_cache(64)
def _fold_names(names: tuple[bytes, ...]) -> bytes:
    """`a:b:c`, folded after a colon and never inside a name (RFC 6376 §3.5). A source's mails have the same fields."""
    lines = [b""]
    for name in names:
        if len(lines[-1]) + len(name) + 4 > _LINE:
            lines.append(b"")
        lines[-1] += name + b":"
    return b"\r\n ".join(lines)[:-1]


def _signed_fields(header: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """Names for `h=` and the canonical fields in that order; the last of a name comes first (RFC 6376 §5.4.2)."""
    found: dict[bytes, list[bytes]] = {}
    for field in _FIELD_END.split(header.removesuffix(b"\r\n")):
        name, _, value = field.partition(b":")
        name = name.strip().lower()
        if name in _OVERSIGNED:
            found.setdefault(name, []).insert(0, _relaxed_field(name, value) + b"\r\n")
    names = _names(tuple((name, len(found[name])) for name in OVERSIGNED if name in found))
    return names, b"".join(b"".join(found[name]) for name in OVERSIGNED if name in found)


@lru_cache(64)
def _names(counts: tuple[tuple[bytes, int], ...]) -> tuple[bytes, ...]:
    """Each oversigned name once more than it is there."""
    there = dict(counts)
    return tuple(name for name in OVERSIGNED for _ in range(there.get(name, 0) + 1))


def _relaxed_field(name: bytes, value: bytes) -> bytes:
    """RFC 6376 §3.4.2, `name` in lower case."""
    return name + b":" + _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")


class BodyHash:
    """SHA-256 of a body in relaxed form (RFC 6376 §3.4.4), fed in pieces cut anywhere.

    A body without a last CRLF counts as if it had one, since SMTP sends one (RFC 5321 §4.1.1.4). With `is_canonical`
    somebody has looked at its line ends.
    """

    def __init__(self, *, is_canonical: bool = False) -> None:
        self._is_canonical = is_canonical
        self._hash = hashlib.sha256()
        self._empty = True  # nothing but line ends and blanks so far
        self._ends = 0  # CRLFs that count only if something follows
        self._rest = b""  # after them: a blank, the CR of a cut CRLF, or both

    def update(self, piece: bytes) -> None:
        """Take the next piece. Unconvertible("line-ending", …) when a CR or LF in it stands alone."""
        data = self._rest + piece if self._rest else piece
        if not self._is_canonical:
            _check_line_ends(data[:-1] if data.endswith(b"\r") else data)
        solid = data.rstrip(b" \t\r\n")
        if solid:
            self._write_ends()
            self._hash.update(_relaxed(solid))
            self._empty = False
        tail = data[len(solid) :]
        after = tail.rfind(b"\n") + 1
        self._ends += tail.count(b"\n")
        rest = tail[after:]
        self._rest = (b" " if rest.strip(b"\r") else b"") + rest[-1:].strip(b" \t")

    def digest(self) -> bytes:
        """The hash of all pieces."""
        _check_line_ends(self._rest)
        final = self._hash.copy()
        if not self._empty:
            final.update(b"\r\n")
        return final.digest()

    def _write_ends(self) -> None:
        while self._ends:
            count = min(self._ends, 8192)
            self._hash.update(b"\r\n" * count)
            self._ends -= count


def _relaxed(data: bytes) -> bytes:
    """Runs of blanks as one space, none before a CRLF. Most text passes by the tests alone, and base64, which is most
    of a mail and has no blanks, by a look for the last of them: for one octet is fifty times as quick as for two."""
    if b"\t" in data:
        data = _BLANKS.sub(b" ", data)
    blank = data[: data.rfind(b" ") + len(b" \r\n")]
    if b"  " in blank:
        data = _BLANKS.sub(b" ", data)
        return data.replace(b" \r\n", b"\r\n")
    return data.replace(b" \r\n", b"\r\n") if b" \r\n" in blank else data


def _check_line_ends(data: bytes) -> None:
    pairs = data.count(b"\r\n")
    if data.count(b"\n") != pairs or data.count(b"\r") != pairs:
        raise Unconvertible("line-ending", "The message has a CR or LF that stands alone.")


# --- verifying -------------------------------------------------------------------------------------------


def verify(
    message: bytes, records: Mapping[str, str] | Callable[[str], str | None], domain: str | None = None
) -> list[tuple[str, str]]:
    """(selector, "pass" or the reason why not) of each signature of `message`, as dkimpy sees it.

    `records` gives the TXT value published under a name (no last dot). With `domain` a signature of another domain
    is no pass. Line ends are made CRLF, as they arrive by SMTP.
    """
    import dkim  # here, so that only who verifies loads it

    find = records if callable(records) else {name.lower(): value for name, value in records.items()}.get

    def lookup(name: bytes, timeout: int = 5) -> bytes | None:
        value = find(name.decode("ascii", "replace").rstrip(".").lower())
        return None if value is None else value.encode()

    content = re.sub(rb"\r\n|\r|\n", b"\r\n", message)
    content = content if content.endswith(b"\r\n") else content + b"\r\n"
    results: list[tuple[str, str]] = []
    try:
        parsed = dkim.DKIM(content, logger=_silent)
    except dkim.DKIMException as error:
        return [("", str(error))]
    signatures = [value for name, value in parsed.headers if name.lower() == b"dkim-signature"]
    for index, value in enumerate(signatures):
        tags = dict(re.findall(rb"(?:^|;)\s*([a-z]+)\s*=\s*([^;\s]*)", value))
        selector = tags.get(b"s", b"").decode("ascii", "replace")
        signer = tags.get(b"d", b"").decode("ascii", "replace").lower()
        try:
            passed = parsed.verify(idx=index, dnsfunc=lookup)
            reason = "pass" if passed else "the signature does not match the header"
        except (dkim.DKIMException, ValueError, binascii.Error) as error:
            reason = str(error)
        if reason == "pass" and domain is not None and signer != domain.lower():
            reason = f"signed for {signer}"
        results.append((selector, reason))
    return results
