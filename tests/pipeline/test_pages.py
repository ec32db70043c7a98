"""A company's own page template: used from its folder, and a broken one holds until it is mended."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec

from gateway.model import UTC, parse_id
from gateway.store import Store, documents
from gateway.workers import Pool
from tests import pdf_text
from tests.pipeline.work import Work, dropped, parts

GOLDEN = Path(__file__).parent.parent / "golden"
SOURCE = (GOLDEN / "write-02-peppol/in.xml").read_bytes()


async def test_a_broken_template_holds_with_its_line_until_it_is_mended(
    store: Store, pool: Pool, work: Work, tmp_path: Path
) -> None:
    template = tmp_path / "pages/default/invoice.typ"
    template.parent.mkdir(parents=True)
    template.write_text('#set text(font: "Inter")\nOur page #nothing')
    gateway = msgspec.structs.replace(work.config.gateway, pages=tmp_path / "pages")
    own = Work(store, pool, msgspec.structs.replace(work.config, gateway=gateway))
    await (await own.start()).add("0010427", format="pdf")
    await own.accept(dropped(SOURCE, "F1.xml"))
    held = await own.one("held")
    assert held["cause"] == "template"
    assert held["sentence"] == f"The page's template {template}, line 2: unknown variable: nothing."
    template.write_text('#set text(font: "Inter")\nOur page')
    await store.write(documents.release_documents, [parse_id(held["id"])], "anna", dt.datetime.now(UTC))
    own.pipeline.wake()
    ((_, kind, content),) = parts(await own.sent())
    assert kind == "application/pdf"
    assert pdf_text.pages(content)[0].strip() == "Our page"
    await own.pipeline.stop(5.0)
