"""DKIM: what we sign is what dkimpy verifies, and nothing can be added."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import dkim.canonicalization
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import compose, signing
from gateway.errors import ConfigError, Unconvertible
from gateway.model import Attachment, Canonical

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
DOMAIN = "pageroonline.com"
RSA = signing.parse_key("gw1", signing.generate("rsa"))
ED25519 = signing.parse_key("gw2", signing.generate("ed25519"))
KEYS = (RSA, ED25519)
RECORDS = dict(signing.dns_record(key, DOMAIN) for key in KEYS)
PASS = [("gw1", "pass"), ("gw2", "pass")]

HEADER = (
    b"From: Acme <acme@pageroonline.com>\r\nReply-To: billing@acme.example\r\nTo: ap@buyer.example\r\n"
    b"Cc: x@y.example\r\nSubject:  Invoice\r\n\t4711  \r\nDate: Fri, 02 Jan 2026 03:04:05 +0000\r\n"
    b"Message-ID: <1.2@pageroonline.com>\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nX-Other: free\r\n"
)


def signed(body: bytes = b"Hello\r\n", header: bytes = HEADER) -> bytes:
    return signing.sign(header, body, DOMAIN, KEYS, NOW) + header + b"\r\n" + body


def verdicts(message: bytes) -> list[tuple[str, str]]:
    return signing.verify(message, RECORDS, DOMAIN)


# --- signatures ------------------------------------------------------------------------------------------


def test_both_signatures_pass() -> None:
    assert verdicts(signed()) == PASS


@settings(max_examples=120, deadline=None)
@given(
    st.lists(
        st.sampled_from([b" ", b"\t", b"\r\n", b"  ", b" \r\n", b"\t\r\n", b"a", b"=", b".", "åß€".encode(), b"\xff"])
        | st.binary(max_size=5).map(lambda octets: octets.replace(b"\r", b"").replace(b"\n", b"")),
        max_size=30,
    ).map(b"".join),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40),
)
def test_any_body_and_subject_verify(body: bytes, subject: str) -> None:
    header = HEADER.replace(b"Invoice\r\n\t4711", subject.encode())
    assert verdicts(signed(body, header)) == PASS


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=300), st.binary(max_size=300))
def test_any_composed_message_verifies(subject: str, body: str, content: bytes) -> None:
    mail = compose.Mail(
        from_address=f"acme@{DOMAIN}",
        sender_name=subject,
        to=("ap@buyer.example",),
        subject=subject,
        body=body,
        date=NOW,
        message_id=compose.message_id(1, 2, DOMAIN),
        attachments=(Attachment(name=subject, media_type="application/pdf", content=content),),
    )
    message = compose.compose(mail)
    assert verdicts(signing.sign_message(message, DOMAIN, KEYS, NOW) + message) == PASS


@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b" ", b"\r\n\r\n", b" \r\n\t\r\n", b"no end", b"x" * 5000, b"a  b\t\r\n\r\n"]
)
def test_odd_bodies_verify(body: bytes) -> None:
    assert verdicts(signed(body)) == PASS


def test_ten_megabytes_verify() -> None:
    line = b"QUJD" * 19 + b"\r\n"
    assert verdicts(signed(line * 64_000 + b"a  gap \t\r\n" * 1000 + line * 64_000)) == PASS


@pytest.mark.parametrize(
    "field",
    [
        *("Reply-To: evil@e.example", "Cc: evil@e.example", "Subject: other", "From: evil@e.example"),
        *("To: evil@e.example", "Sender: evil@e.example", "Date: x", "Content-Type: text/html", "MIME-Version: 2"),
        *("References: <a@b>", "In-Reply-To: <a@b>", "Content-Transfer-Encoding: base64", "Auto-Submitted: no"),
        *("Message-ID: <evil@e>", "Content-Disposition: inline", "List-Unsubscribe: <https://e.example>"),
    ],
)
@pytest.mark.parametrize("place", ["top", "bottom"])
def test_an_added_field_breaks_both(field: str, place: str) -> None:
    line = field.encode() + b"\r\n"
    message = signed()
    forged = line + message if place == "top" else message.replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n", 1)
    assert [result == "pass" for _, result in verdicts(forged)] == [False, False]


def test_a_field_that_nobody_signed_may_be_added() -> None:
    assert verdicts(b"Received: from x by y; z\r\n" + signed()) == PASS


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"Hello", b"Hullo"), (b"Invoice", b"Invoize"), (b"billing@", b"b1lling@"), (b"Hello\r\n", b"Hello\r\nmore\r\n")],
)
def test_a_change_breaks_both(old: bytes, new: bytes) -> None:
    forged = signed().replace(old, new)
    assert [result == "pass" for _, result in verdicts(forged)] == [False, False]


def test_the_reason_is_told() -> None:
    reasons = dict(verdicts(signed().replace(b"Hello", b"Hullo")))
    assert "body hash" in reasons["gw1"]
    assert signing.verify(signed(), {}, DOMAIN)[0][1] != "pass"
    assert signing.verify(signed(), RECORDS, "other.example") == [
        ("gw1", "signed for pageroonline.com"),
        ("gw2", "signed for pageroonline.com"),
    ]
    swapped = dict(zip(RECORDS, reversed(RECORDS.values()), strict=True))
    assert all(result != "pass" for _, result in signing.verify(signed(), swapped))
    assert signing.verify(HEADER + b"\r\nunsigned", RECORDS) == []


def test_tags() -> None:
    fields = signing.sign(HEADER, b"Hello\r\n", DOMAIN, KEYS, NOW)
    first, second = re.split(rb"(?m)^(?=DKIM-Signature)", fields)[1:]
    tags = dict(re.findall(r"([a-z]+)=([^;]*)", first.partition(b": ")[2].decode().replace("\r\n", "")))
    assert tags["v"] == "1"
    assert tags["a"] == "rsa-sha256"
    assert b"a=ed25519-sha256" in second
    assert tags["c"] == "relaxed/relaxed"
    assert tags["d"] == DOMAIN
    assert tags["s"] == "gw1"
    assert tags["t"] == str(int(NOW.timestamp()))
    assert "l" not in tags
    assert "x" not in tags
    names = tags["h"].replace(" ", "").split(":")
    for name in signing.OVERSIGNED:
        present = len(re.findall(rb"(?mi)^" + name + rb":", HEADER))
        assert names.count(name.decode()) == present + 1
    assert max(map(len, fields.split(b"\r\n"))) <= 78


def test_names_in_h_are_folded_between_and_never_within() -> None:
    field = signing.sign(HEADER, b"", DOMAIN, KEYS[:1], NOW)
    value = re.search(rb"h=([^;]*);", field)
    assert value
    for line in value[1].split(b"\r\n "):
        assert {name for name in line.split(b":") if name} <= set(signing.OVERSIGNED)


def test_repeated_fields_are_signed_from_the_bottom() -> None:
    assert verdicts(signed(header=HEADER + b"To: second@buyer.example\r\n")) == PASS


def test_signing_twice_gives_the_same_bytes() -> None:
    assert signed() == signed()


@pytest.mark.parametrize("body", [b"a  b \r\n" * 20_000, b" \r\n\r\n", b"a \t\r\n\r\n b\r\n\r\n"])
def test_a_body_hashed_in_pieces_gives_the_same_signature(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = signing.sign(HEADER, body, DOMAIN, KEYS, NOW)
    assert signing.sign(HEADER, Canonical(body), DOMAIN, KEYS, NOW) == whole
    assert signing.sign(HEADER, HEADER + body, DOMAIN, KEYS, NOW, start=len(HEADER)) == whole
    for size in (1, 2, 3, 4099):
        monkeypatch.setattr(signing, "_PIECE", size)
        assert signing.sign(HEADER, body, DOMAIN, KEYS, NOW) == whole


def test_unsigned_mail_never_leaves() -> None:
    with pytest.raises(ConfigError):
        signing.sign(HEADER, b"", DOMAIN, (), NOW)


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (HEADER, b"a\nb\r\n"),
        (HEADER, b"a\rb\r\n"),
        (HEADER, b"a\r"),
        (HEADER, b"\n"),
        (HEADER, b"a\n\rb"),
        (HEADER.replace(b"\r\n", b"\n"), b"a\r\n"),
        (HEADER + b"X: a\rb\r\n", b"a\r\n"),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 16384])
def test_only_crlf_is_signed(header: bytes, body: bytes, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "_PIECE", size)
    with pytest.raises(Unconvertible) as error:
        signing.sign(header, body, DOMAIN, KEYS, NOW)
    assert error.value.term == "line-ending"


def test_a_message_needs_its_empty_line() -> None:
    with pytest.raises(Unconvertible):
        signing.sign_message(b"From: x\r\n", DOMAIN, KEYS, NOW)


# --- canonical form --------------------------------------------------------------------------------------

body_pieces = st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"b" * 40, b"\r\n\r\n"]), max_size=40).map(b"".join)


def cut(body: bytes, places: list[int]) -> Iterator[bytes]:
    ends = sorted({place % (len(body) + 1) for place in places} | {len(body)})
    start = 0
    for end in ends:
        yield body[start:end]
        start = end


@settings(max_examples=400, deadline=None)
@given(body_pieces, st.lists(st.integers(0, 5000), max_size=8))
def test_body_hash_does_not_depend_on_the_pieces(body: bytes, places: list[int]) -> None:
    pieces = signing.BodyHash()
    for piece in cut(body, places):
        pieces.update(piece)
    complete = body if not body or body.endswith(b"\r\n") else body + b"\r\n"
    whole = hashlib.sha256(dkim.canonicalization.Relaxed.canonicalize_body(complete)).digest()
    if not complete.strip(b" \t\r\n"):
        whole = hashlib.sha256(b"").digest()  # RFC 6376 §3.4.4: nothing but empty lines is an empty body
    assert pieces.digest() == whole


@pytest.mark.parametrize(
    "body", [b" " * 3_000_000, b"\r\n" * 2_000_000, b"a \r\n" * 500_000 + b"\t" * 1_000_000 + b"b"]
)
def test_hostile_blanks_take_time_in_proportion(body: bytes) -> None:
    start = time.perf_counter()
    digest = signing.BodyHash()
    for at in range(0, len(body), 65536):
        digest.update(body[at : at + 65536])
    digest.digest()
    whole = signing.BodyHash()
    whole.update(body)
    assert whole.digest() == digest.digest()
    assert time.perf_counter() - start < 2


# --- keys ------------------------------------------------------------------------------------------------


def write(path: Path, pem: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(pem)
    path.chmod(mode)
    return path


def test_generated_keys_are_read_back(tmp_path: Path) -> None:
    files = [
        ("a", write(tmp_path / "a", signing.generate("rsa"))),
        ("b", write(tmp_path / "b", signing.generate("ed25519"))),
    ]
    keys = signing.load_keys(files)
    assert [(key.selector, key.algorithm) for key in keys] == [("a", "rsa"), ("b", "ed25519")]
    assert isinstance(keys[0].private, rsa.RSAPrivateKey)
    assert keys[0].private.key_size == 2048


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620, 0o666, 0o602, 0o601])
def test_a_key_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path / "key.pem", signing.generate("ed25519"), mode)
    with pytest.raises(ConfigError, match=r"key\.pem has mode 0[0-7]{3}: others"):
        signing.load_key("a", path)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_a_key_of_owner_and_group_is_taken(tmp_path: Path, mode: int) -> None:
    signing.load_key("a", write(tmp_path / "key.pem", signing.generate("ed25519"), mode))


def _pem(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes = b"") -> bytes:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


@pytest.mark.parametrize(
    ("pem", "reason"),
    [
        (b"", "no private key"),
        (b"nonsense", "no private key"),
        (_pem(rsa.generate_private_key(65537, 1024)), "1024 bits"),
        (_pem(ec.generate_private_key(ec.SECP256R1())), "neither RSA nor Ed25519"),
        (_pem(rsa.generate_private_key(65537, 2048), b"secret"), "encrypted"),
    ],
    ids=["empty", "nonsense", "small", "curve", "encrypted"],
)
def test_what_is_no_fitting_key_is_refused_by_name(tmp_path: Path, pem: bytes, reason: str) -> None:
    path = write(tmp_path / "key.pem", pem)
    with pytest.raises(ConfigError, match=rf"key\.pem: .*{reason}") as error:
        signing.load_key("a", path)
    assert error.value.sentence.count(". ") == 0


def test_a_missing_key_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.pem cannot be read: No such file"):
        signing.load_key("a", tmp_path / "missing.pem")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ConfigError, match="is not a file"):
        signing.load_key("a", tmp_path / "fifo")
    with pytest.raises(ConfigError):
        signing.load_key("a", tmp_path)


def test_traditional_pem_is_read() -> None:
    assert isinstance(RSA.private, rsa.RSAPrivateKey)
    pem = RSA.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    assert signing.parse_key("a", pem).algorithm == "rsa"


def test_dns_records() -> None:
    (rsa_name, rsa_value), (ed_name, ed_value) = RECORDS.items()
    assert rsa_name == "gw1._domainkey.pageroonline.com"
    assert re.fullmatch(r"v=DKIM1; k=rsa; p=[A-Za-z0-9+/]{392}", rsa_value)
    assert ed_name == "gw2._domainkey.pageroonline.com"
    assert re.fullmatch(r"v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=", ed_value)
    assert signing.dns_record(RSA, "")[0] == "gw1._domainkey"


def test_zone_lines_hold_strings_of_255() -> None:
    line = signing.zone_line("a.b.", RECORDS["gw1._domainkey.pageroonline.com"])
    strings = re.findall(r'"([^"]*)"', line)
    assert line.startswith('a.b. IN TXT ( "v=DKIM1; ')
    assert "".join(strings) == RECORDS["gw1._domainkey.pageroonline.com"]
    assert [len(text) <= 255 for text in strings] == [True, True]
