"""Mails of old systems: each `mail-*` folder has a mail and the documents found in it, with their record of it.

`GOLDEN=write pytest tests/golden/test_mails.py` writes `out.json` anew; `make_mails.py` makes the mails themselves.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway import config
from gateway.model import UTC, Came, Envelope, Fields, Peer
from gateway.pipeline import finding
from gateway.store.submissions import ClaimedSubmission, NewDocument
from gateway.workers import Pool

HERE = Path(__file__).parent
CASES = sorted(HERE.glob("mail-*"))


def claimed(rcpt_to: tuple[str, ...]) -> ClaimedSubmission:
    return ClaimedSubmission(
        id=1,
        company_id=1,
        company="default",
        source="old",
        channel="smtp",
        envelope=Envelope(mail_from="erp@seller.example", rcpt_to=rcpt_to),
        peer=Peer(host="10.0.0.9"),
        content_id=1,
        size=1,
        file_name="",
        fields=Fields(),
        received_at=dt.datetime(2026, 3, 2, tzinfo=UTC),
        tries=0,
    )


def source_of(case: Path, folder: Path) -> tuple[config.Source, tuple[str, ...]]:
    """The case's source, and the addresses that its mail came for."""
    file = case / "source.toml"
    text = file.read_text("utf-8") if file.exists() else ""
    rcpt_to = tuple(tomllib.loads(text).get("rcpt_to", ("gateway@gw.example",)))
    keys = [line for line in text.splitlines() if not line.startswith("rcpt_to")]
    head = ["[[source]]", 'name = "old"', 'match = { networks = ["10.0.0.0/8"] }']
    written = folder / "gateway.toml"
    written.write_text("\n".join([*head, *keys]).replace("[fields]", "[source.fields]"), "utf-8")
    return config.load(written).sources[0], rcpt_to


async def find(folder: Path) -> dict[str, Any]:
    """What the pipeline finds in every case, in a real worker."""
    pool = Pool(1)
    pool.start()
    found: dict[str, Any] = {}
    try:
        for case in CASES:
            source, rcpt_to = source_of(case, folder)
            odd: list[str] = []
            content = (case / "in.eml").read_bytes()
            documents = await finding.find(claimed(rcpt_to), source, content, pool, odd.extend)
            found[case.name] = {"quirks": odd, "documents": [_shown(each) for each in documents]}
    finally:
        await pool.close()
    return found


def _shown(new: NewDocument) -> dict[str, Any]:
    data = b"" if new.body is None else new.body.data or b""
    shown: dict[str, Any] = {"name": new.file_name, "type": new.media_type}
    if new.body is not None:
        shown |= {"size": len(data), "begins": data[:12].decode("latin-1")}
    if new.extras:
        shown["extras"] = [f"{extra.name} {extra.body.media_type} {extra.body.size}" for extra in new.extras]
    shown |= {"fields": msgspec.to_builtins(new.fields)} if new.fields != Fields() else {}
    shown |= {"piece": f"{new.piece.number} of {new.piece.total}"} if new.piece else {}
    return shown | _came(new.came)


def _came(came: Came) -> dict[str, Any]:
    shown = {"cause": came.cause, "sentence": came.sentence, "ends": came.ends}
    trace = [f"{step.result}: {step.text}{f' [{step.where}]' if step.where else ''}" for step in came.steps]
    return {name: value for name, value in shown.items() if value} | {"trace": trace}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return asyncio.run(find(tmp_path_factory.mktemp("sources")))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_mail(case: Path, found: dict[str, Any]) -> None:
    text = json.dumps(found[case.name], ensure_ascii=False, indent=1) + "\n"
    if os.environ.get("GOLDEN") == "write":
        (case / "out.json").write_text(text, "utf-8")
    assert text == (case / "out.json").read_text("utf-8")


def test_every_case_says_what_it_proves() -> None:
    assert len(CASES) >= 40
    assert all((case / "README").read_text("utf-8").strip() for case in CASES)
