"""Flat IDocs: columns of every segment as the same IDoc in XML has them; codes, line ends, blanks, and rubbish."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import formats, readers
from gateway.errors import Unreadable
from gateway.model import Attachment, ReadDocument
from gateway.readers import idocflat
from tests import invoices
from tests.property.test_corpus_mutated import attempt

GOLDEN = Path(__file__).parent.parent / "golden"
_SPEC = importlib.util.spec_from_file_location("make_idocs", GOLDEN / "make_idocs.py")
assert _SPEC is not None
assert _SPEC.loader is not None
idocs = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(idocs)

FULL = (GOLDEN / "reader-116-idoc-flat/in.txt").read_bytes()


def one(data: bytes) -> ReadDocument:
    (document,) = readers.read("a.txt", "", (), data)
    return document


def said(data: bytes) -> Any:
    """What is read, but for the evidence."""
    document = one(data)
    return document.number, document.customer_numbers, document.emails, document.payable, document.trade


@pytest.mark.parametrize(
    "changed",
    [
        FULL.decode("latin-1").encode("utf-8"),
        b"\xef\xbb\xbf" + FULL.decode("latin-1").encode("utf-8"),
        FULL.replace(b"\r\n", b"\n"),
        b"".join(line.rstrip() + b"\n" for line in FULL.splitlines()),
        FULL.rstrip(),
        FULL.replace(b"E2EDK01005", b"E2EDK01   ").replace(b"E2EDP01007", b"E1EDP01   "),
        FULL + b"\r\n\r\nEDI_DS40  800\r\n",
    ],
    ids=["utf-8", "mark", "lf", "trimmed", "last line", "definitions", "status record"],
)
def test_the_same_in_other_clothes(changed: bytes) -> None:
    assert said(changed) == said(FULL)
    assert one(FULL).buyer == "Werft Süd GmbH,"


def test_the_goldens_are_those_of_their_script() -> None:
    assert all((GOLDEN / name).read_bytes() == data for name, data in idocs.files().items())


def test_windows_characters_are_read() -> None:
    assert one(FULL.replace("Größe".encode("latin-1"), b"Gr\x80\xdfe")).trade.addressee.name.endswith("Gr€ße")  # type: ignore[union-attr]


def test_the_columns_are_those_of_the_xml() -> None:
    """Each segment and field of the reader's places is there, and no record is longer than SAP's."""
    text = Path(readers.__file__).with_name("idoc.py").read_text("utf-8")
    for segment, (above, columns) in idocflat.SEGMENTS.items():
        assert above == "" or above in idocflat.SEGMENTS
        assert segment in text
        assert max(place.stop for place in columns.values()) <= 1000
    assert idocflat.SEGMENTS["E1EDKA1"][1]["TITLE"].stop == 995  # all of it
    assert idocflat.SEGMENTS["E1EDP01"][1]["NETWR"] == slice(78, 96)


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (idocs.control().encode(), "unknown-type"),
        (idocs.control().encode() + b"\nE2EDX01 whatever\n", "unknown-type"),
        (
            (idocs.control("ORDERS", "ORDERS05") + "\n" + idocs.record("E2EDK01005", {67: "EUR"})).encode(),
            "unknown-type",
        ),
        (b"EDI_DC40" + b"\n" * 200_001, "too-large"),
    ],
)
def test_what_is_no_invoice_is_held(data: bytes, cause: str) -> None:
    with pytest.raises(Unreadable, match=r"\.$") as refusal:
        one(data)
    assert refusal.value.cause == cause


def test_what_is_not_saps_is_named_and_what_hangs_in_the_air_is_left_out() -> None:
    lines = [idocs.control(), idocs.record("E2EDK01005", {146: "1"}), "Z1A", "/NS/SEG", "Z1A", "\x00\x01"]
    lines += [idocs.record("E2EDKA3", {66: "a@b.example"})]
    document = one("\n".join(lines).encode())
    assert document.notes == ("Segments that are not SAP's are not read: /NS/SEG (1), Z1A (2).",)
    assert document.emails == ()


def test_it_has_a_page_and_goes_on_as_it_came() -> None:
    source = Attachment(name="a.txt", media_type="text/plain", content=FULL)
    options = formats.Options(language="de", now=invoices.NOW)
    page = formats.convert(one(FULL), source, "pdf", options)
    assert page.content.startswith(b"%PDF-1.7")
    assert formats.convert(one(FULL), source, "original", options) is source


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*idocflat.SEGMENTS, "E2EDK01005", "Z1", "EDI_DC40", ""]),
            st.text(max_size=200),
        ),
        max_size=12,
    ),
    st.sampled_from(["utf-8", "latin-1", "utf-16"]),
)
def test_any_records_give_documents_or_a_sentence(records: list[tuple[str, str]], encoding: str) -> None:
    text = "\n".join(f"{name:<63}{value}" for name, value in records)
    data = idocs.control().encode() + b"\n" + text.encode(encoding, "replace")
    documents = attempt(readers.read, "a.txt", "", (), data)
    if not isinstance(documents, Unreadable):
        # Of several, one that cannot be read is among them as `other`.
        assert {document.format for document in documents} <= {"idoc", "other"}
