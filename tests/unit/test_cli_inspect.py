"""`gateway inspect` as a process: the contract of its JSON, its exit codes, no daemon and no configuration needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).parent.parent / "golden"
XML = GOLDEN / "reader-02-credit-note/in.xml"
PDF = GOLDEN / "reader-22-pdf-patterns/in.pdf"
KEYS = {
    "type",
    "subtype",
    "number",
    "issue_date",
    "due_date",
    "customer_number",
    "customer_numbers",
    "emails",
    "seller",
    "buyer",
}
KEYS |= {"currency", "payable", "language", "evidence"}


def inspect(folder: Path, *args: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "inspect", *map(str, args)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def test_json(tmp_path: Path) -> None:
    (tmp_path / "photo.xml").write_bytes(b"\xff\xd8\xff\xe0")
    done = inspect(tmp_path, "--json", XML, "photo.xml", PDF)
    assert (done.returncode, done.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert [set(file) for file in found] == [{"file", "format", "profile", "documents", "error"}] * 3
    credit_note, photo, page = found
    assert (credit_note["file"], credit_note["format"], credit_note["error"]) == (str(XML), "ubl", None)
    assert credit_note["profile"].endswith("xrechnung_3.0")
    (document,) = credit_note["documents"]
    assert set(document) >= KEYS
    assert (document["type"], document["subtype"], document["number"]) == ("invoice", "credit_note", "G-17")
    assert (document["issue_date"], document["due_date"], document["payable"]) == ("2026-04-01", "2026-05-01", "-12.50")
    assert document["emails"] == ["Buchhaltung@Kunde.example", "zweite@kunde.example"]
    assert document["evidence"][1] == {"field": "number", "value": "G-17", "where": "/CreditNote/cbc:ID"}
    assert (photo["format"], photo["documents"]) == (None, [])
    assert photo["error"] == "not-a-document: The file is a JPEG image."
    assert set(page["documents"][0]) == set(document)
    assert (page["profile"], page["documents"][0]["customer_numbers"]) == (None, ["9999"])
    assert page["documents"][0]["customer_number"] == "9999"


def test_people_read_values_and_places(tmp_path: Path) -> None:
    done = inspect(tmp_path, XML, PDF)
    assert done.returncode == 0
    assert "number           G-17   /CreditNote/cbc:ID" in done.stdout
    assert "customer_number  9999 at page 1, box 142.2,36.7,150.0,40.8 mm" in done.stdout


def test_a_file_that_cannot_be_looked_at_is_one_sentence_and_exit_1(tmp_path: Path) -> None:
    done = inspect(tmp_path, XML, "missing.xml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "gateway: missing.xml cannot be read: No such file or directory.\n"


def test_each_of_several_documents_is_shown(tmp_path: Path) -> None:
    done = inspect(tmp_path, GOLDEN / "reader-80-several-in-an-envelope/in.xml")
    assert done.returncode == 0
    heads = [line for line in done.stdout.splitlines() if line.startswith("  document ")]
    assert heads == [f"  document {place} of 3" for place in (1, 2, 3)]
    assert "E-3   /StandardBusinessDocument/Invoice[3]/cbc:ID\n" in done.stdout
