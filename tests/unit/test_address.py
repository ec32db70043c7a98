"""Addresses: what RFC 5321 allows, what it does not, and how it comes back."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.address import parse, split_list
from gateway.errors import Refused


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anna@example.com", "anna@example.com"),
        ("Anna.B+x@EXAMPLE.Com", "Anna.B+x@example.com"),
        ("a@localhost", "a@localhost"),
        ("!#$%&'*+-/=?^_`{|}~@d.e", "!#$%&'*+-/=?^_`{|}~@d.e"),
        ("1@2a.de", "1@2a.de"),
        ('"john doe"@example.com', '"john doe"@example.com'),
        ('"plain"@example.com', "plain@example.com"),
        (r'"pl\ain"@example.com', "plain@example.com"),
        (r'"a\"b\\c"@example.com', r'"a\"b\\c"@example.com'),
        ('"a@b"@example.com', '"a@b"@example.com'),
        ('"a..b"@example.com', '"a..b"@example.com'),
        ("kontakt@bücher.example", "kontakt@xn--bcher-kva.example"),
        ("kontakt@BÜCHER.example", "kontakt@xn--bcher-kva.example"),
        ("a@straße.de", "a@xn--strae-oqa.de"),
        ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com"),
        ("a@" + "b" * 63 + ".com", "a@" + "b" * 63 + ".com"),
    ],
)
def test_an_address_comes_back_normalised(text: str, expected: str) -> None:
    assert parse(text) == expected
    assert parse(expected) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("anna", "the @ is missing"),
        ("anna@", "nothing stands after the @"),
        ("@example.com", "nothing stands before the @"),
        ("@relay.example,@b.example:anna@example.com", "nothing stands before the @"),
        ("a b@example.com", "before the @"),
        (" anna@example.com", "before the @"),
        ("anna@example.com ", "domain"),
        ("anna@example.com.", "domain"),
        ("anna@.example.com", "domain"),
        ("anna@example..com", "domain"),
        ("anna@-example.com", "domain"),
        ("anna@example-.com", "domain"),
        ("anna@exa_mple.com", "domain"),
        ("anna@" + "b" * 64 + ".com", "domain"),
        ("anna@192.0.2.1", "number"),
        ("anna@[192.0.2.1]", "literal"),
        ("a..b@example.com", "before the @"),
        (".a@example.com", "before the @"),
        ("a.@example.com", "before the @"),
        ("a@b@example.com", "before the @"),
        ('"a"b@example.com', "before the @|quoted"),
        ('"a@example.com', "before the @|quoted"),
        ('""@example.com', "before the @"),
        ("Anna <anna@example.com>", "before the @"),
        ("<anna@example.com>", "before the @"),
        ("a" * 65 + "@example.com", "64 octets"),
        ("a" * 60 + "@" + ".".join(["b" * 60] * 4), "254 octets"),
        ("a@" + "b." * 130 + "com", "long|octets"),
        ("ä@example.com", "beyond ASCII"),
        ("a\r\nRCPT TO:<b@c.d>@example.com", "control"),
        ('"a\rX: y"@b.c', "control"),
        ("a\x00@example.com", "control"),
        ("a\x7f@example.com", "control"),
        ("a@example.com\n", "domain"),
        ("a@exa\x00mple.com", "domain"),
        ("a@\u2028example.com", "international|domain"),
        ("a@xn--\xfc.com", "international"),
        ("a" * 2000 + "@example.com", "too long"),
    ],
)
def test_what_is_no_address_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason) as caught:
        parse(text)
    assert caught.value.field == "email"
    assert caught.value.sentence.isprintable()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jörg@example.com", "jörg@example.com"),
        ("jo\u0308rg@example.com", "jörg@example.com"),
        ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
        ('"jörg b"@example.com', '"jörg b"@example.com'),
        ("ä" * 32 + "@example.com", "ä" * 32 + "@example.com"),
    ],
)
def test_utf8_allows_a_local_part_beyond_ascii(text: str, expected: str) -> None:
    assert parse(text, utf8=True) == expected


@pytest.mark.parametrize(
    "text",
    ["ä" * 33 + "@example.com", "a\x85b@example.com", "a\u202eb@example.com", "a\udcffb@example.com", '"a\xa0b"@b.c'],
)
def test_utf8_still_refuses_too_long_and_invisible(text: str) -> None:
    with pytest.raises(Refused):
        parse(text, utf8=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("123456", "123456"),
        ("postmaster", "postmaster"),
        ("0000123", "0000123"),
        ('"100 234"', '"100 234"'),
        ("scan@printer", "scan@printer"),
        ("scan@10.0.0.3", "scan@10.0.0.3"),
        ("scan@[10.0.0.3]", "scan@[10.0.0.3]"),
        ("scan@[ipv6:2001:DB8::0001]", "scan@[IPv6:2001:db8::1]"),
    ],
)
def test_bare_allows_what_machines_say(text: str, expected: str) -> None:
    assert parse(text, bare=True) == expected


@pytest.mark.parametrize(
    "text", ["", "a b", "a@", "@b", "a@[", "a@[]", "a@[10.0.0.300]", "a@[IPv6:fe80::1%eth0]", '"a"b', "a\rb", '"a"b@c']
)
def test_bare_is_still_strict(text: str) -> None:
    with pytest.raises(Refused):
        parse(text, bare=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (" ; , ;", ()),
        ("a@b.c", ("a@b.c",)),
        ("a@b.c;d@e.f", ("a@b.c", "d@e.f")),
        ("a@b.c, d@e.f ; g@h.i", ("a@b.c", "d@e.f", "g@h.i")),
        ("\u00a0a@b.c\u200b;\ufeff d@e.f\u2060 \u200b", ("a@b.c", "d@e.f")),
        ('"a;b"@c.d;e@f.g', ('"a;b"@c.d', "e@f.g")),
        ('"a;b;c', ('"a', "b", "c")),
        ("not an address;x", ("not an address", "x")),
    ],
)
def test_a_list_is_split_and_trimmed(text: str, expected: tuple[str, ...]) -> None:
    assert split_list(text) == expected


@given(st.text(), st.booleans(), st.booleans())
def test_any_text_is_an_address_or_refused(text: str, utf8: bool, bare: bool) -> None:
    try:
        address = parse(text, utf8=utf8, bare=bare)
    except Refused:
        return
    assert parse(address, utf8=utf8, bare=bare) == address


_PIECES = st.lists(st.sampled_from(['"', "\\", "@", ".", "a", "Z", "é", " ", "\r", "\n", "<", ">", "[", "]", "-"]))


@given(_PIECES, st.booleans())
def test_what_is_accepted_can_stand_in_a_command_and_a_header(pieces: list[str], bare: bool) -> None:
    try:
        address = parse("".join(pieces), utf8=True, bare=bare)
    except Refused:
        return
    assert not re.search(r"[\x00-\x1f\x7f]", address)
    local, _, domain = address.rpartition("@")
    assert re.fullmatch(r"[a-z0-9.\-\[\]:A-Z]*", domain) or not local
    if "@" in address and not local.startswith('"'):
        assert not re.search(r'[\s<>()\[\],;:\\"]', local)


@given(st.text(st.sampled_from(' a@b.,;"\u200b\xa0'), max_size=60))
def test_a_list_loses_only_separators_and_trim(text: str) -> None:
    joined = "".join(split_list(text))
    assert re.sub(r'[^a@b."]', "", joined) == re.sub(r'[^a@b."]', "", text)


@pytest.mark.parametrize(
    "text", ['"' * 200_000, '\\"' * 200_000, "a;" * 100_000, '"a;' * 100_000, "\u200b \u00ad" * 500]
)
def test_hostile_lists_and_addresses_take_no_time(text: str) -> None:
    start = time.perf_counter()
    split_list(text)
    for flags in ({}, {"utf8": True}, {"bare": True}):
        for piece in (text, text[:1000], text[:900] + "@example.com"):
            with pytest.raises(Refused):
                parse(piece, **flags)
    assert time.perf_counter() - start < 2


@given(st.text(st.sampled_from('ab@." \t\n\x1c\u00a0\u00ad\u200b;,'), max_size=10))
def test_one_address_is_found_as_one_of_several(text: str) -> None:
    if ";" not in text and "," not in text and text.count('"') % 2 == 0:
        assert split_list(text) == split_list(text + ";") == split_list(";" + text)
