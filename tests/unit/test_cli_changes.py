"""`gateway recipients history|revert|batches`, in this process against a served store."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway import cli, config
from gateway.admin.running import Running
from gateway.api import AdminServer
from gateway.model import Recipient
from gateway.store import Store, audit, batches, companies, recipients

CONFIG = '[gateway]\nadmin_socket = "admin.sock"\ndatabase = "sqlite:gateway.db"\n'
WHO = audit.Caller(uid=1000, user="anna")


@pytest.fixture
async def file(store: Store, now: dt.datetime, tmp_path: Path) -> AsyncIterator[Path]:
    """The configuration of a served store with one row, and one list that was imported."""

    def fill(connection: object) -> None:
        company = companies.ensure_company(connection, "default", now)  # type: ignore[arg-type]
        row = Recipient(number="1001", email=("a@example.com",), type="invoice")
        recipients.add(connection, company, row, WHO, now)  # type: ignore[arg-type]
        counts = {"create": 1, "update": 0}
        new = batches.NewBatch(
            company_id=company, type="invoice", file_name="list.csv", sha256=bytes(32), counts=counts
        )
        other = Recipient(number="1002", email=("b@example.com",), type="invoice")
        batches.write(connection, new, [batches.Planned("create", 2, other)], WHO, now)  # type: ignore[arg-type]

    await store.write(fill)
    path = tmp_path / "gateway.toml"
    path.write_text(CONFIG)
    loaded = config.load(path)
    server = AdminServer(loaded.gateway.admin_socket, Running(store=store, config=loaded))
    await server.start()
    yield path
    await server.stop()


async def test_history_revert_and_batches(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def run(*words: str) -> tuple[int, str]:
        code = await asyncio.to_thread(cli.main, ["-c", str(file), "recipients", *words])
        out, err = capsys.readouterr()
        return code, out + err

    assert (await run("set", "1001", "--email", "new@example.com", "--reason", "moved"))[0] == 0
    code, said = await run("history", "1001")
    assert code == 0
    assert "recipient.set  (moved)" in said
    assert "email: a@example.com → new@example.com" in said
    code, said = await run("--json", "history", "1001")
    assert [entry["action"] for entry in json.loads(said)] == ["recipient.set", "recipient.add"]
    code, said = await run("revert", "1001")
    assert (code, said) == (0, "The last change of recipient 1001 for type invoice is taken back.\n")
    code, said = await run("--json", "show", "1001")
    (row,) = json.loads(said)
    assert row["email"] == ["a@example.com"]
    await run("delete", "1001", "--type", "invoice")
    assert (await run("revert", "1001"))[0] == 1  # a deleted row is found by its id
    code, said = await run("--json", "revert", row["id"])
    assert json.loads(said)["email"] == ["a@example.com"]
    code, said = await run("revert", "1002")
    assert code == 1
    assert "take back its batch" in said
    code, said = await run("batches")
    assert code == 0
    assert "list.csv" in said
    code, said = await run("--json", "batches")
    assert [(batch["file"], batch["user"]) for batch in json.loads(said)] == [("list.csv", "anna")]
