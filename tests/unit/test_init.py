"""`gateway init`: what it makes is ready for `gateway serve`, and it never overwrites."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from gateway import cli, config, signing
from gateway.store.database import Lock, create_for_test


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_ready(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "gateway"
    assert cli.main(["init", str(folder)]) == 0
    file = folder / "gateway.toml"
    said = capsys.readouterr().out.splitlines()
    assert said[-3:] == [f"  gateway -c {file} {verb}" for verb in ("check", "dkim record", "serve")]
    loaded = config.load(file)
    assert config.check_files(loaded) == []
    assert [key.selector for key in loaded.dkim] == ["gw1", "gw2"]
    keys = signing.load_keys((key.selector, key.file) for key in loaded.dkim)
    assert [key.algorithm for key in keys] == ["rsa", "ed25519"]
    assert [mode(key.file) for key in loaded.dkim] == [0o600, 0o600]
    assert [source.folder for source in loaded.sources] == [None, folder / "var" / "drop"]
    assert loaded.gateway.database == f"sqlite:{folder}/var/gateway.db"
    assert cli.main(["-c", str(file), "check"]) == 0
    assert "key gw2 signs for pageroonline.com (ed25519)" in capsys.readouterr().out


def test_the_file_explains_every_key(tmp_path: Path) -> None:
    cli.main(["init", str(tmp_path)])
    shipped = (Path(__file__).resolve().parents[2] / "conf" / "gateway.toml").read_text(encoding="utf-8")
    made = (tmp_path / "gateway.toml").read_text(encoding="utf-8")
    comments = [line for line in shipped.splitlines() if line.startswith("# ")]
    assert [line for line in made.splitlines() if line.startswith("# ")] == comments


def test_what_is_switched_on_stands_under_its_own_heading(tmp_path: Path) -> None:
    """Who takes the # from the lines of another source must not change this one."""
    cli.main(["init", str(tmp_path)])
    made = (tmp_path / "gateway.toml").read_text(encoding="utf-8")
    assert '\n[[source]]\nname = "scanner"\nmatch = { folder = "var/drop" }\n' in made
    assert made.count("\n[[source]]\n") == 2
    assert '\n#[[source]]\n#name = "sap"\n' in made


def test_data_may_stand_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / 'da"ta ö'
    (data / "drop").mkdir(parents=True)  # as a package makes it
    assert cli.main(["init", str(tmp_path / "etc"), "--data", str(data), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["keys"] == ["gw1", "gw2"]
    loaded = config.load(Path(answer["config"]))
    assert loaded.gateway.database == f"sqlite:{data}/gateway.db"
    assert loaded.gateway.admin_socket == data / "admin.sock"
    assert loaded.sources[1].folder == data / "drop"
    assert loaded.relay.directory == data / "outbox"
    assert [key.file.parent for key in loaded.dkim] == [data / "dkim"] * 2
    assert config.check_files(loaded) == []


def test_an_empty_folder_is_new(tmp_path: Path) -> None:
    assert cli.main(["init", str(tmp_path)]) == 0


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "gateway"
    assert cli.main(["init", str(folder)]) == 0
    key = (folder / "var/dkim/gw1.pem").read_bytes()
    assert cli.main(["init", str(folder)]) == 1
    assert capsys.readouterr().err == f"gateway: {folder} is not empty; give a new folder.\n"
    assert cli.main(["init", str(tmp_path / "other"), "--data", str(folder / "var")]) == 1
    assert "nothing is overwritten" in capsys.readouterr().err
    assert (folder / "var/dkim/gw1.pem").read_bytes() == key
    assert not (tmp_path / "other" / "gateway.toml").exists()


def test_a_file_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").touch()
    assert cli.main(["init", str(tmp_path / "x")]) == 1
    assert capsys.readouterr().err == f"gateway: {tmp_path / 'x'} cannot be used: Not a directory.\n"


def test_check_looks_at_the_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["init", str(tmp_path)])
    command = ["-c", str(tmp_path / "gateway.toml"), "check"]
    file = tmp_path / "var" / "gateway.db"
    create_for_test(file).dispose()
    assert cli.main(command) == 0
    assert f"{file} is sound\n" in capsys.readouterr().out
    lock = Lock(file)
    lock.acquire()
    try:
        assert cli.main(command) == 0
        assert f"{file} is in use by a running gateway" in capsys.readouterr().out
    finally:
        lock.release()
    file.write_bytes(b"no database" * 1000)
    assert cli.main(command) == 1
    assert f"{file} is damaged" in capsys.readouterr().err
