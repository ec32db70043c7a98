"""`gateway sources hash`: from stdin and from a terminal."""

from __future__ import annotations

import getpass
import io
import json
import sys
from pathlib import Path

import argon2
import pytest

from gateway import cli, config


def test_a_hash_from_stdin_is_what_the_file_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("pässword\nmore\n"))
    assert cli.main(["sources", "hash"]) == 0
    hashed = capsys.readouterr().out.strip()
    file = tmp_path / "gateway.toml"
    file.write_text(f'[[source]]\nname = "sap"\nmatch = {{ user = "sap" }}\npassword_hash = "{hashed}"\n')
    (source,) = config.load(file).sources
    assert (source.user, source.password_hash) == ("sap", hashed)
    assert argon2.PasswordHasher().verify(hashed, "pässword")


def test_no_password_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    assert cli.main(["sources", "hash", "--json"]) == 1
    assert "at least one character" in capsys.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("second", "code"), [("secret", 0), ("sceret", 1)])
def test_a_terminal_is_asked_twice(
    second: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(("secret", second))
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt: next(answers))
    assert cli.main(["sources", "hash", "--json"]) == code
    said = capsys.readouterr()
    if code == 0:
        assert argon2.PasswordHasher().verify(json.loads(said.out)["password_hash"], "secret")
    else:
        assert "not the same" in said.err
