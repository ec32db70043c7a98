"""Rendered pages: each `render-*` folder has a source, the language, and the text every page must show.

`GOLDEN=write pytest tests/golden/test_render.py` writes `out.txt` anew; read the difference before it is committed.
"""

import io
import os
import tomllib
from pathlib import Path

import pikepdf
import pytest

from gateway import formats, readers
from gateway.model import Attachment
from tests import pdf_text
from tests.invoices import NOW

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CASES = sorted(folder.name for folder in HERE.glob("render-*"))


@pytest.mark.parametrize("name", CASES)
def test_the_pages_show_what_they_should(name):
    folder = HERE / name
    case = tomllib.loads((folder / "case.toml").read_text())
    file = folder / case["source"]
    content = (file if file.exists() else ROOT / case["source"]).read_bytes()
    source = Attachment(name=file.name, media_type="application/xml", content=content)
    options = formats.Options(language=case["language"], now=NOW)
    made = formats.convert(readers.read(file.name, "", (), content)[0], source, "pdf", options)

    shown = "\f".join(page.rstrip() + "\n" for page in pdf_text.pages(made.content))
    expected = folder / "out.txt"
    if os.environ.get("GOLDEN") == "write":
        expected.write_text(shown)
    assert shown == expected.read_text()
    for page in range(shown.count("\f") + 1):
        assert pdf_text.overlaps(pdf_text.words(made.content, page)) == []
    with pikepdf.open(io.BytesIO(made.content)) as document:
        (attached,) = document.attachments.values()
        assert attached.get_file().read_bytes() == content


def test_every_case_says_why_it_is_there():
    assert len(CASES) >= 5
    assert all((HERE / name / "README").read_text().strip() for name in CASES)
