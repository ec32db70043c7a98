"""Lists of recipients: each `excel-*` folder has a list and what is read of it, row by row and cell by cell.

`GOLDEN=write pytest tests/golden/test_lists.py` writes `out.json` anew; read the difference before it is committed.
"""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway import doctypes
from gateway.admin.recipients import format_names
from gateway.errors import Refused
from gateway.workbook import listing
from gateway.workbook.model import Finding, Listed, Options, unpack

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("excel-*"))


def read(case: Path) -> Any:
    """What is read of the case's list, as JSON."""
    said = case / "case.toml"
    options = tomllib.loads(said.read_text()) if said.exists() else {}
    wanted = {"type": "invoice", "types": doctypes.names(), "formats": format_names(), "today": "2026-03-02", **options}
    try:
        summary, frames = listing.read(next(case.glob("list.*")).read_bytes(), msgspec.convert(wanted, Options))
    except Refused as refused:
        return {"refused": refused.sentence, "field": refused.field}
    findings: list[Finding] = []
    start = 0
    for found, start in unpack(frames, Finding, 0, summary.finding_frames):  # noqa: B007
        findings += found
    rows = [row for found_rows, _ in unpack(frames, Listed, start) for row in found_rows]
    counts = {
        name: value for name, value in msgspec.to_builtins(summary).items() if name not in ("peak", "finding_frames")
    }
    return {
        **counts,
        "findings": [f"{found.cell} {found.code} {found.sentence}" for found in findings],
        "list": [_shown(row) for row in rows],
    }


def _shown(row: Listed) -> list[Any]:
    """The row; what only some lists say is named, at its end."""
    values = list(msgspec.to_builtins(row))
    seldom = {name: getattr(row, name) for name in ("attach", "file_name", "constants") if getattr(row, name)}
    return [*values[:7], *([seldom] if seldom else [])]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_list(case: Path) -> None:
    found = json.dumps(read(case), ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("GOLDEN") == "write":
        (case / "out.json").write_text(found, "utf-8")
    assert found == (case / "out.json").read_text("utf-8")


def test_every_case_says_what_it_proves() -> None:
    assert len(CASES) > 30
    assert all((case / "README").read_text("utf-8").strip() for case in CASES)
