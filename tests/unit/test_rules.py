"""Where a document goes: the 16 cases of R12, and every hold with its cause, sentence and events."""

from __future__ import annotations

import itertools

import pytest

from gateway import rules
from gateway.model import Envelope, Fields, Found, ReadDocument, Recipient, Resolution
from gateway.settings import Business

ROW = Recipient(id=1, number="1001", email=("row@example.com",), cc=("copy@example.com",), type="invoice")
FROM_ROW, FROM_DOCUMENT = ("row@example.com",), ("document@example.net",)


def document(number: str | None = "1001", email: str | None = "document@example.net", **more: object) -> ReadDocument:
    evidence = [Found(field="customer_number", value=number, where="/Invoice/Account")] if number else []
    evidence += [Found(field="email", value=email, where="/Invoice/Mail")] if email else []
    return ReadDocument(
        format="ubl",
        type="invoice",
        customer_numbers=(number,) if number else (),
        emails=(email,) if email else (),
        evidence=tuple(evidence),
        **more,  # type: ignore[arg-type]
    )


def company(**more: object) -> Business:
    return Business(company="acme", **more)  # type: ignore[arg-type]


def resolve(
    reading: ReadDocument,
    *rows: Recipient,
    business: Business | None = None,
    fields: Fields | None = None,
    envelope: Envelope | None = None,
) -> Resolution:
    return rules.resolve(reading, fields or Fields(), rows, business or company(), envelope)


# active, document_address, row, address in the document -> To addresses, cause
MATRIX = [
    (True, True, True, True, FROM_ROW, None),
    (True, True, True, False, FROM_ROW, None),
    (True, True, False, True, FROM_DOCUMENT, None),
    (True, True, False, False, (), "no-recipient:1001"),
    (True, False, True, True, FROM_ROW, None),
    (True, False, True, False, FROM_ROW, None),
    (True, False, False, True, (), "no-recipient:1001"),
    (True, False, False, False, (), "no-recipient:1001"),
    (False, True, True, True, (), "distribution-off"),
    (False, True, True, False, (), "distribution-off"),
    (False, True, False, True, (), "distribution-off"),
    (False, True, False, False, (), "no-recipient:1001"),
    (False, False, True, True, (), "distribution-off"),
    (False, False, True, False, (), "distribution-off"),
    (False, False, False, True, (), "no-recipient:1001"),
    (False, False, False, False, (), "no-recipient:1001"),
]


def test_matrix_has_every_case() -> None:
    assert {case[:4] for case in MATRIX} == set(itertools.product((True, False), repeat=4))


@pytest.mark.parametrize(("active", "document_address", "row", "address", "to", "cause"), MATRIX)
def test_matrix(
    active: bool, document_address: bool, row: bool, address: bool, to: tuple[str, ...], cause: str | None
) -> None:
    found = resolve(
        document(email="document@example.net" if address else None),
        *([ROW] if row else []),
        business=company(active=active, document_address=document_address),
    )
    assert (found.to, found.cause) == (to, cause)
    assert found.cc == (("copy@example.com",) if to == FROM_ROW else ())
    assert found.trace
    if cause:
        assert found.sentence
        assert found.wakes
    else:
        assert (found.sentence, found.wakes) == (None, ())


def test_switch_off_waits_for_the_switch_only() -> None:
    found = resolve(document(), ROW, business=company(active=False))
    assert found.wakes == ("setting:acme:distribution.active",)
    assert found.trace[-1].result == "off"
    assert "row@example.com" in (found.sentence or "")


def test_order_document_first() -> None:
    found = resolve(document(), ROW, business=company(document_address=True, order=("document", "directory")))
    assert (found.to, found.rule) == (FROM_DOCUMENT, "document_address")
    assert found.recipient is None


def test_order_shows_who_lost() -> None:
    found = resolve(document(), ROW, business=company(document_address=True))
    steps = [(step.rule, step.result, step.text) for step in found.trace]
    assert ("customer_number", "chosen", "gives row@example.com, copy to copy@example.com") in steps
    assert ("document_address", "lost", "would give document@example.net") in steps


def test_trace_says_what_was_found_where() -> None:
    found = resolve(document(), ROW)
    places = {(step.text, step.where) for step in found.trace}
    assert ("customer number 1001", "/Invoice/Account") in places
    assert ("address document@example.net", "/Invoice/Mail") in places
    assert any(step.result == "off" and "resolve.document_address" in step.text for step in found.trace)


def test_no_number_and_no_address() -> None:
    found = resolve(document(None, None))
    assert found.cause == "no-customer-number"
    assert found.wakes == ()


def test_no_number_and_unused_address_waits_for_the_switch_of_the_document_way() -> None:
    found = resolve(document(None))
    assert found.cause == "no-customer-number"
    assert found.wakes == ("setting:acme:resolve",)


def test_missing_row_waits_for_its_number_under_every_spelling() -> None:
    found = resolve(document(" 000abc ", None))
    assert found.cause == "no-recipient:000abc"
    assert found.wakes == ("recipient:acme:ABC",)
    assert "000abc" in (found.sentence or "")


def test_all_numbers_are_waited_for() -> None:
    reading = ReadDocument(format="ubl", type="invoice", customer_numbers=("1001", "SE55"))
    assert resolve(reading).wakes == ("recipient:acme:1001", "recipient:acme:SE55")


def test_row_of_another_type_is_passed_over() -> None:
    other = Recipient(number="1001", email=("orders@example.com",), type="order")
    found = resolve(document(email=None), other)
    assert found.cause == "no-recipient:1001"
    assert any(step.result == "lost" and "type order" in step.text for step in found.trace)


def test_bad_address_alone() -> None:
    found = resolve(document(None, "not an address"), business=company(document_address=True))
    assert found.cause == "bad-address:not an address"


def test_bad_address_beside_a_number_is_said_too() -> None:
    found = resolve(document("7", "not an address"), business=company(document_address=True))
    assert found.cause == "no-recipient:7"
    assert "not an address" in (found.sentence or "")


def test_several_addresses_in_one_field() -> None:
    reading = document(None, "a@example.com; b@example.com, a@example.com")
    found = resolve(reading, business=company(document_address=True))
    assert found.to == ("a@example.com", "b@example.com")


def test_several_addresses_that_a_reader_split() -> None:
    places = tuple(Found(field="email", value=value, where="/Mail") for value in ("a@example.com", "b@example.com"))
    reading = ReadDocument(format="ubl", emails=("a@example.com", "b@example.com"), evidence=places)
    assert resolve(reading, business=company(document_address=True)).to == ("a@example.com", "b@example.com")


def test_addresses_from_two_places_are_alternatives() -> None:
    places = (
        Found(field="email", value="a@example.com", where="/Endpoint"),
        Found(field="email", value="b@example.com", where="/Contact"),
    )
    reading = ReadDocument(format="ubl", emails=("a@example.com", "b@example.com"), evidence=places)
    found = resolve(reading, business=company(document_address=True))
    assert found.to == ("a@example.com",)
    assert any(step.result == "lost" and "b@example.com" in step.text for step in found.trace)


def test_one_bad_address_in_a_field_spoils_the_field() -> None:
    reading = ReadDocument(format="ubl", emails=("a@example.com; nonsense", "b@example.com"))
    assert resolve(reading, business=company(document_address=True)).to == ("b@example.com",)


def test_too_many_addresses_are_held() -> None:
    many = "; ".join(f"c{n}@example.com" for n in range(10_000))
    found = resolve(document(None, many), business=company(document_address=True))
    assert found.cause == "too-many-recipients"
    assert found.wakes == ("setting:acme:resolve",)
    assert sum(len(step.text) for step in found.trace) < 1000
    fifty = "; ".join(f"c{n}@example.com" for n in range(50))
    assert len(resolve(document(None, fifty), business=company(document_address=True)).to) == 50


def test_normalised_number_only_when_the_company_says_so() -> None:
    row = Recipient(number="0001001", email=("row@example.com",))
    held = resolve(document(email=None), row)
    assert held.cause == "no-recipient:1001"
    assert any("resolve.normalise is off" in step.text for step in held.trace)
    assert "setting:acme:resolve" in held.wakes
    assert resolve(document(email=None), row, business=company(normalise=True)).to == FROM_ROW


def test_ambiguous_number_is_held_and_never_guessed() -> None:
    rows = (Recipient(number="01001", email=("a@example.com",)), Recipient(number="001001", email=("b@example.com",)))
    found = resolve(document(), *rows, business=company(normalise=True, document_address=True))
    assert found.cause == "ambiguous-recipient:1001"
    assert "recipient:acme:1001" in found.wakes
    assert found.to == ()
    assert any(step.result == "lost" for step in found.trace)


def test_what_the_sender_said_beats_the_document() -> None:
    said = Fields(customer_number="2002", origin=(("customer_number", "sub-folder invoice/2002"),))
    other = Recipient(number="2002", email=("two@example.com",))
    found = resolve(document(), ROW, other, fields=said)
    assert found.to == ("two@example.com",)
    texts = [(step.text, step.result) for step in found.trace]
    assert ("customer number 2002", "found") in texts
    assert ("the document's own customer number 1001", "lost") in texts
    assert any(step.where == "sub-folder invoice/2002" for step in found.trace)


def test_number_said_by_the_sender_never_falls_back_to_the_documents() -> None:
    found = resolve(document(email=None), ROW, fields=Fields(customer_number="2002"))
    assert found.cause == "no-recipient:2002"


def test_type_said_by_the_sender_chooses_the_row() -> None:
    order = Recipient(number="1001", email=("orders@example.com",), type="order")
    assert resolve(document(), ROW, order, fields=Fields(type="order")).to == ("orders@example.com",)


def test_addresses_said_by_the_sender_obey_the_switch() -> None:
    said = Fields(emails=("said@example.com",), cc=("c@example.com", "nonsense"))
    assert resolve(document(None), fields=said).cause == "no-customer-number"
    found = resolve(document(None), fields=said, business=company(document_address=True))
    assert (found.to, found.cc) == (("said@example.com",), ("c@example.com",))
    assert any("copy left out" in step.text for step in found.trace)


def test_basic_company_never_gets_a_rows_format() -> None:
    row = Recipient(number="1001", email=("row@example.com",), format="ubl")
    advanced, basic = resolve(document(), row), resolve(document(), row, business=company(advanced=False))
    assert advanced.recipient
    assert advanced.recipient.format == "ubl"
    assert basic.recipient
    assert basic.recipient.format is None


def test_copy_never_repeats_a_to_address() -> None:
    row = Recipient(number="1001", email=("row@example.com",), cc=("row@example.com", "c@example.com"))
    assert resolve(document(), row).cc == ("c@example.com",)


def test_envelope_addresses() -> None:
    envelope = Envelope(mail_from="erp@example.com", rcpt_to=("x@example.org", "y@example.org"))
    found = resolve(document(), ROW, envelope=envelope)
    assert (found.to, found.rule) == (("x@example.org", "y@example.org"), "envelope")
    off = resolve(document(), envelope=envelope, business=company(active=False))
    assert off.cause == "distribution-off"


def test_bare_envelope_address_is_held() -> None:
    envelope = Envelope(mail_from="erp@example.com", rcpt_to=("x@example.org", "123456"))
    found = resolve(document(), envelope=envelope)
    assert found.cause == "bad-address:123456"
    assert found.to == ()


def test_keys_are_those_of_the_numbers_that_count() -> None:
    reading = ReadDocument(format="ubl", customer_numbers=("0042", "42", " "))
    assert rules.keys(reading, Fields()) == ("42",)
    assert rules.keys(reading, Fields(customer_number="7")) == ("7",)


def test_rules_stand_in_the_order_of_the_default() -> None:
    assert tuple(rule.way for rule in rules.RULES) == Business(company="x").order
