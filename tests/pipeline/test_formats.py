"""A recipient's structured format: written, checked, recorded; or held with what is missing or broken."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy.engine import Connection

from gateway.formats import checking
from gateway.model import UTC
from gateway.pipeline import checks
from gateway.store import Store, companies, recipients
from gateway.workers import Pool
from tests import pdf_text
from tests import rules as theirs
from tests.pipeline.work import WHO, Work, dropped, parts

GOLDEN = Path(__file__).parent.parent / "golden"
PEPPOL_SOURCE = (GOLDEN / "write-02-peppol/in.xml").read_bytes()
WHOLE = (GOLDEN / "reader-40-cii-whole/in.xml").read_bytes()

WRONG_UNIT = WHOLE.replace(b'unitCode="HUR"', b'unitCode="Q9Q"')  # which only the rules see


@pytest.fixture
async def rules() -> AsyncIterator[Pool]:
    made = Pool(1, memory=checking.SPACE, large=checking.LARGE)
    yield made
    await made.close()


async def started(work: Work, format_: str) -> Work:
    await (await work.start()).add("0010427", format=format_)
    return work


def notes(shown: dict[str, Any]) -> list[str]:
    return [step["text"] for step in shown["trace"] if step["rule"] == "format"]


async def test_each_recipient_gets_the_format_of_its_row(work: Work) -> None:
    await started(work, "peppol")
    await work.accept(dropped(PEPPOL_SOURCE, "F1.xml"))
    message = await work.sent()
    (attachment,) = message.iter_attachments()
    content = attachment.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert b"#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0<" in content
    assert attachment.get_filename().endswith(".xml")
    assert theirs.broken_of_profile(content) == []
    assert notes(await work.shown("queued")) == ["Not checked: UBL 2.1 schema, EN 16931 rules, Peppol rules."]


async def test_factur_x_goes_out_as_one_pdf(work: Work) -> None:
    await started(work, "facturx")
    await work.accept(dropped(PEPPOL_SOURCE, "F1.xml"))
    (attachment,) = (await work.sent()).iter_attachments()
    assert attachment.get_content_type() == "application/pdf"
    assert attachment.get_filename().endswith(".pdf")


@pytest.mark.parametrize("target", ["pdf", "facturx"])
async def test_the_page_is_in_the_recipients_language(work: Work, target: str) -> None:
    await (await work.start()).add("0010427", format=target, language="fr")
    await work.accept(dropped(WHOLE, "F1.xml"))
    ((_, _, page),) = parts(await work.sent())
    assert "Net à payer" in pdf_text.pages(page)[-1]


async def test_who_imports_gets_rows(work: Work) -> None:
    case = GOLDEN / "write-40-csv"
    await started(work, "csv")
    await work.accept(dropped((case / "in.xml").read_bytes(), "F1.xml"))
    ((name, kind, content),) = parts(await work.sent())
    assert (name, kind) == ("Invoice-C-2026_0815.csv", "text/csv")
    assert content == (case / "out.csv").read_bytes()
    assert notes(await work.shown("queued")) == [(case / "lost").read_text("utf-8").strip()]


async def test_what_is_in_the_profile_already_goes_untouched(work: Work) -> None:
    ready = (GOLDEN / "write-02-peppol/out.xml").read_bytes()
    await started(work, "en16931-ubl")
    await work.accept(dropped(ready, "F1.xml"))
    (attachment,) = (await work.sent()).iter_attachments()
    assert attachment.get_payload(decode=True) == ready
    assert notes(await work.shown("queued")) == []


async def test_a_missing_term_holds_and_another_format_frees(work: Work) -> None:
    await started(work, "xrechnung-ubl")
    await work.accept(dropped(PEPPOL_SOURCE.replace(b"04011000-12345-34", b""), "F1.xml"))
    held = await work.one("held")
    assert held["cause"] == "conversion:BT-10"
    assert held["sentence"].startswith(
        "XRechnung 3.0 needs the buyer reference (BT-10); none is at /CrossIndustryInvoice/"
    )
    await work.store.write(_to_facturx)
    work.pipeline.changed()
    (attachment,) = (await work.sent()).iter_attachments()
    assert attachment.get_content_type() == "application/pdf"


def _to_facturx(connection: Connection) -> None:
    (row,) = recipients.rows_of(connection, companies.company_id(connection, "default"), "0010427")
    changed = msgspec.structs.replace(row, format="facturx")
    recipients.change(connection, changed, None, WHO, dt.datetime.now(UTC))


async def test_what_was_lost_and_what_was_checked_is_recorded(
    store: Store, pool: Pool, rules: Pool, work: Work
) -> None:
    checked = Work(store, pool, work.config, rules=rules)
    await started(checked, "en16931-ubl")
    await checked.accept(dropped(WHOLE, "F1.xml"))
    assert notes(await checked.shown("queued")) == [
        "The buyer's identifier 4000002000006 (BT-46) has no place beside 0010427.",
        "Checked: UBL 2.1 schema (factur-x 7.8), EN 16931 rules (factur-x 7.8).",
    ]
    await checked.pipeline.stop(5.0)


async def test_a_broken_rule_holds_with_its_name_and_text(store: Store, pool: Pool, rules: Pool, work: Work) -> None:
    checked = Work(store, pool, work.config, rules=rules)
    await started(checked, "en16931-ubl")
    await checked.accept(dropped(WRONG_UNIT, "F1.xml"))
    held = await checked.one("held")
    assert held["cause"] == "conversion:BR-CL-23"
    assert "What was written as en16931-ubl breaks BR-CL-23: " in held["sentence"]
    assert "Recommendation" in held["sentence"]
    await checked.pipeline.stop(5.0)


async def test_a_broken_rule_sends_the_pdf_where_the_company_wants_that(
    store: Store, pool: Pool, rules: Pool, work: Work
) -> None:
    checked = Work(store, pool, work.config, rules=rules)
    await started(checked, "en16931-ubl")
    await checked.set("on_loss.invoice", "fallback_pdf")
    await checked.accept(dropped(WRONG_UNIT, "F1.xml"))
    (note,) = notes(await checked.shown("queued"))
    assert note.startswith("Sent as PDF instead of en16931-ubl, as on_loss asks (BR-CL-23): What was written as")
    await checked.pipeline.stop(5.0)


async def test_a_check_that_does_not_come_back_is_recorded_as_not_made(
    store: Store, pool: Pool, rules: Pool, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CHECK_SECONDS", 0.001)
    checked = Work(store, pool, work.config, rules=rules)
    await started(checked, "en16931-ubl")
    await checked.accept(dropped(PEPPOL_SOURCE, "F1.xml"))
    assert notes(await checked.shown("queued")) == ["Not checked: UBL 2.1 schema, EN 16931 rules."]
    await checked.pipeline.stop(5.0)
