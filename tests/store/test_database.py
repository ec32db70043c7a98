"""Opening a database: what is checked, refused and kept safe before the first write."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.errors import ConfigError, Corrupt, Refused
from gateway.store import Store, companies, database, recipients, schema


def statements(engine: sa.Engine) -> dict[str, set[str]]:
    """Every table's and index's definition as a set of clauses, whatever their order."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").all()
    return {
        name: set(re.split(r",\s*(?![^()]*\))", " ".join(sql.split()).partition("(")[2].rpartition(")")[0].strip()))
        | {" ".join(sql.split()).rpartition(")")[2]}
        for name, sql in rows
        if name != "alembic_version"
    }


def test_the_schema_from_scratch_is_the_schema_from_all_migrations(engine: sa.Engine, tmp_path: Path) -> None:
    scratch = database.writer_engine(tmp_path / "scratch.db")
    with scratch.begin() as connection:
        schema.metadata.create_all(connection)
    assert statements(engine) == statements(scratch)
    assert len(statements(engine)) > len(schema.metadata.tables)
    scratch.dispose()


def test_the_pragmas_are_what_we_rely_on(engine: sa.Engine) -> None:
    assert database.check_pragmas(engine) == []
    raw = engine.raw_connection()
    raw.cursor().execute("PRAGMA synchronous=NORMAL")
    raw.close()
    assert database.check_pragmas(engine) == ["PRAGMA synchronous is 1, 2 is needed"]


def test_a_second_gateway_is_refused_with_the_holder(tmp_path: Path) -> None:
    first, second = Store(tmp_path / "gateway.db"), Store(tmp_path / "gateway.db")
    first.open()
    with pytest.raises(Refused, match=r"another gateway \(process \d+\) has gateway.db open; stop it first"):
        second.open()
    first._writer.stop()  # type: ignore[union-attr]
    first._lock.release()
    first._engine.dispose()  # type: ignore[union-attr]


async def test_the_lock_is_free_again_after_close(tmp_path: Path) -> None:
    for _ in range(2):
        store = Store(tmp_path / "gateway.db")
        store.open()
        await store.close()


def test_a_newer_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    database.create_for_test(path).dispose()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(Corrupt, match=r"has schema 9999, this program knows \d+: start the newer program"):
        Store(path).open()


def test_a_damaged_database_is_refused_and_says_how_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    engine = database.create_for_test(path)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO meta VALUES ('filler', hex(zeroblob(200000)))")
    engine.dispose()  # the last connection to close writes the WAL back
    with open(path, "r+b") as file:
        for page in range(2, path.stat().st_size // 16384):
            file.seek(page * 16384)
            file.write(b"\xff" * 64)
    with pytest.raises(Corrupt, match=r"is damaged .* put the newest copy made by 'gateway backup' in its place"):
        Store(path).open()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    path.write_bytes(b"this is a shopping list, not a database\n" * 1000)
    with pytest.raises(Corrupt, match="is damaged"):
        Store(path).open()
    assert path.read_bytes().startswith(b"this is a shopping list")


def test_a_backup_is_whole_and_never_overwrites(engine: sa.Engine, tmp_path: Path) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO meta VALUES ('a', 'b')")
    size = database.backup(tmp_path / "gateway.db", tmp_path / "copy.db")
    assert size == (tmp_path / "copy.db").stat().st_size
    shutil.move(tmp_path / "copy.db", tmp_path / "restored.db")
    restored = database.create_for_test(tmp_path / "restored.db")
    with restored.connect() as connection:
        assert connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'a'").scalar() == "b"
    restored.dispose()
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(Refused, match="never overwrites"):
        database.backup(tmp_path / "gateway.db", tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_nobody_else_can_read_the_database_or_its_copies(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        database.create_for_test(tmp_path / "gateway.db").dispose()
        database.backup(tmp_path / "gateway.db", tmp_path / "copy.db")
    finally:
        os.umask(before)
    assert {name: stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("gateway.db", "copy.db")} == {
        "gateway.db": 0o600,
        "copy.db": 0o600,
    }


def test_a_backup_into_nowhere_says_so(engine: sa.Engine, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"cannot write the backup .*: No such file or directory$"):
        database.backup(tmp_path / "gateway.db", tmp_path / "missing" / "copy.db")
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match=r"cannot write the backup .*: Not a directory$"):
        database.backup(tmp_path / "gateway.db", tmp_path / "file" / "copy.db")


async def test_a_database_that_cannot_be_opened_is_refused_not_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "gateway.db").mkdir()
    store = Store(tmp_path / "gateway.db")
    with pytest.raises(Refused, match=r"cannot open .*: Is a directory"):
        store.open()
    await store.close()


def test_a_pending_step_keeps_a_copy_beside(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    database.create_for_test(path).dispose()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO meta VALUES ('old', 'data')")
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    engine = database.writer_engine(path)
    with pytest.raises(Exception, match="0000"):  # there is no step 0000 to come from: the migration fails whole
        database.migrate(engine, path)
    engine.dispose()
    copy = sqlite3.connect(tmp_path / f"gateway.db.before-{database.SCHEMA}")
    assert copy.execute("SELECT value FROM meta WHERE key = 'old'").fetchone() == ("data",)
    copy.close()


@pytest.mark.parametrize("has_index", [False, True])
async def test_a_database_made_by_the_first_step_gets_the_index_that_searches_read(
    tmp_path: Path, has_index: bool, now: dt.datetime
) -> None:
    """The first step made it only for a while: a database at 0001 may have it or not."""
    path = tmp_path / "gateway.db"
    database.create_for_test(path).dispose()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO meta VALUES ('old', 'data')")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        if not has_index:
            connection.execute("DROP INDEX recipient_search")
    connection.close()
    store = Store(path)
    store.open()
    wanted = recipients.Filter(company="default", search="köpare", limit=64)
    await store.write(companies.ensure_company, "default", now)
    assert await store.read(recipients.list_recipients, wanted) == []
    await store.close()
    with sqlite3.connect(path) as connection:
        asked = (
            "SELECT id FROM recipient WHERE company_id = 1 AND instr(search, 'x') ORDER BY company_id, number_key, id"
        )
        plan = [row[-1] for row in connection.execute(f"EXPLAIN QUERY PLAN {asked}")]
        assert [connection.execute("SELECT value FROM meta WHERE key = 'old'").fetchone()] == [("data",)]
    connection.close()
    assert plan == ["SEARCH recipient USING COVERING INDEX recipient_search (company_id=?)"]


@pytest.mark.parametrize("url", ["mysql://x", "gateway.db", "sqlite:"])
def test_other_databases_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="only sqlite:PATH is understood"):
        database.database_path(url, tmp_path)


def test_relative_paths_start_at_the_configuration(tmp_path: Path) -> None:
    assert database.database_path("sqlite:var/gateway.db", tmp_path) == tmp_path / "var" / "gateway.db"
    assert database.database_path("sqlite:/srv/g.db", tmp_path) == Path("/srv/g.db")


def test_check_names_a_newer_database(tmp_path: Path) -> None:
    from gateway.cli.check import check_database

    path = tmp_path / "gateway.db"
    database.create_for_test(path).dispose()
    assert check_database(path) == ([f"{path} is sound"], [])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    good, bad = check_database(path)
    assert good == []
    assert "start the newer program" in bad[0]
