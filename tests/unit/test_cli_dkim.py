"""`gateway dkim keygen|record|check`."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.rrset
import pytest
from dns import resolver

from gateway import cli, signing

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
MESSAGE = b"From: acme@example.com\r\nSubject: x\r\n\r\nbody\r\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration with two keys."""
    for selector, algorithm in (("gw1", "rsa"), ("gw2", "ed25519")):
        assert cli.main(keygen(tmp_path / f"{selector}.pem", selector, algorithm)) == 0
    keys = ", ".join(f'{{ selector = "{name}", file = "{name}.pem" }}' for name in ("gw1", "gw2"))
    (tmp_path / "gateway.toml").write_text(f'[sender]\ndomain = "example.com"\n[dkim]\nkeys = [{keys}]\n')
    return tmp_path


def keygen(file: Path, selector: str = "gw1", algorithm: str = "ed25519") -> list[str]:
    return ["dkim", "keygen", "--selector", selector, "--algorithm", algorithm, "-o", str(file)]


def call(folder: Path, *words: str) -> int:
    return cli.main(["-c", str(folder / "gateway.toml"), "dkim", *words])


def write_signed(folder: Path, message: bytes = MESSAGE) -> Path:
    keys = signing.load_keys((name, folder / f"{name}.pem") for name in ("gw1", "gw2"))
    file = folder / "mail.eml"
    file.write_bytes(signing.sign_message(message, "example.com", keys, NOW) + message)
    return file


@pytest.mark.parametrize("algorithm", ["rsa", "ed25519"])
def test_keygen_writes_a_key_for_its_owner_only(
    tmp_path: Path, algorithm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "key.pem"
    assert cli.main(keygen(file, "gw2026", algorithm)) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = signing.load_key("gw2026", file)
    assert key.algorithm == algorithm
    printed = capsys.readouterr().out
    assert f'{{ selector = "gw2026", file = "{file}" }}' in printed
    assert 'gw2026._domainkey IN TXT ( "v=DKIM1;' in printed


def test_keygen_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "key.pem"
    assert cli.main([*keygen(file), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    name, value = signing.dns_record(signing.load_key("gw1", file), "")
    assert answer == {"selector": "gw1", "algorithm": "ed25519", "file": str(file), "name": name, "value": value}


def test_keygen_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "key.pem"
    file.write_text("precious")
    link = tmp_path / "link.pem"
    link.symlink_to(tmp_path / "elsewhere.pem")
    for target in (file, link):
        assert cli.main(keygen(target)) == 1
        assert "exists, and a key is never overwritten" in capsys.readouterr().err
    assert file.read_text() == "precious"
    assert not (tmp_path / "elsewhere.pem").exists()


def test_keygen_says_why_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(keygen(tmp_path / "missing" / "key.pem")) == 1
    assert "cannot be written: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("selector", ["", "a b", "-a", "a;b", "ä", "a..b", "x" * 64])
def test_keygen_refuses_what_is_no_selector(tmp_path: Path, selector: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["dkim", "keygen", f"--selector={selector}", "-o", str(tmp_path / "key.pem")]) == 1
    assert "is no selector" in capsys.readouterr().err
    assert not (tmp_path / "key.pem").exists()


def test_wrong_usage_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        [],
        ["keygen"],
        ["keygen", "--selector", "a", "--algorithm", "dsa", "-o", "x"],
        ["check"],
        ["unknown"],
    ):
        assert cli.main(["dkim", *words]) == 2
    capsys.readouterr()


def test_record_prints_what_to_publish(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert call(folder, "record") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" ")[0] for line in lines] == ["gw1._domainkey.example.com.", "gw2._domainkey.example.com."]
    assert call(folder, "record", "--json") == 0
    records = json.loads(capsys.readouterr().out)
    keys = signing.load_keys((name, folder / f"{name}.pem") for name in ("gw1", "gw2"))
    expected = [signing.dns_record(key, "example.com") for key in keys]
    assert [(record["name"], record["value"]) for record in records] == expected


def test_record_names_a_key_that_cannot_be_had(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "gw2.pem").chmod(0o644)
    assert call(folder, "record") == 1
    assert "gw2.pem" in capsys.readouterr().err
    (folder / "gw2.pem").unlink()
    assert call(folder, "record") == 1
    assert "gw2.pem" in capsys.readouterr().err


def test_record_without_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gateway.toml").write_text("[dkim]\nkeys = []\n")
    assert call(tmp_path, "record") == 1
    assert "gateway dkim keygen" in capsys.readouterr().err


def test_check_passes_what_we_signed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_signed(folder)
    capsys.readouterr()
    assert call(folder, "check", str(file)) == 0
    assert capsys.readouterr().out == "gw1: pass\ngw2: pass\n"
    assert call(folder, "check", str(file), "--json") == 0
    assert json.loads(capsys.readouterr().out) == [
        {"selector": "gw1", "result": "pass"},
        {"selector": "gw2", "result": "pass"},
    ]


def test_check_reads_plain_line_ends_and_standard_input(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = write_signed(folder).read_bytes().replace(b"\r\n", b"\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(plain)))
    assert call(folder, "check", "-") == 0
    assert capsys.readouterr().out.endswith("gw1: pass\ngw2: pass\n")


def test_check_fails_what_was_changed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_signed(folder)
    file.write_bytes(file.read_bytes() + b"more\r\n")
    capsys.readouterr()
    assert call(folder, "check", str(file)) == 1
    answer = capsys.readouterr()
    assert answer.out.startswith("gw1: body hash mismatch")
    assert "gw1, gw2 did not pass" in answer.err


def test_check_fails_when_a_signature_is_missing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "mail.eml"
    key = signing.load_key("gw1", folder / "gw1.pem")
    file.write_bytes(signing.sign_message(MESSAGE, "example.com", [key], NOW) + MESSAGE)
    capsys.readouterr()
    assert call(folder, "check", str(file)) == 1
    assert capsys.readouterr().out == "gw1: pass\ngw2: no signature\n"


def test_check_names_a_missing_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(folder, "check", str(folder / "none.eml")) == 1
    assert "none.eml cannot be read" in capsys.readouterr().err


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A name server on loopback that answers for the TXT records put into the mapping."""
    records: dict[str, str] = {}
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                query, peer = server.recvfrom(4096)
            except OSError:
                return
            if not query:
                return
            answer = dns.message.make_response(dns.message.from_wire(query))
            name = answer.question[0].name.to_text()
            if name.rstrip(".") in records:
                value = records[name.rstrip(".")]
                strings = " ".join(f'"{value[at : at + 255]}"' for at in range(0, len(value), 255))
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", strings))
            server.sendto(answer.to_wire(), peer)

    thread = threading.Thread(target=serve)
    thread.start()
    ours = resolver.Resolver(configure=False)
    ours.nameservers = ["127.0.0.1"]
    ours.port = server.getsockname()[1]
    monkeypatch.setattr(resolver, "default_resolver", ours)
    yield records
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
        last.sendto(b"", server.getsockname())
    thread.join()
    server.close()


def test_check_asks_the_dns(folder: Path, zone: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    file = write_signed(folder)
    zone.update([signing.dns_record(signing.load_key("gw1", folder / "gw1.pem"), "example.com")])
    capsys.readouterr()
    assert cli.main(["dkim", "check", str(file), "--dns"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("gw1: pass\ngw2: ")
    assert "gw2: pass" not in out
    zone.update([signing.dns_record(signing.load_key("gw2", folder / "gw2.pem"), "example.com")])
    assert cli.main(["dkim", "check", str(file), "--dns"]) == 0


def test_check_of_unsigned_mail_fails(folder: Path, zone: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mail.eml").write_bytes(MESSAGE)
    assert cli.main(["dkim", "check", str(folder / "mail.eml"), "--dns"]) == 1
    assert "has no signature" in capsys.readouterr().err
    assert call(folder, "check", str(folder / "mail.eml")) == 1
    assert "gw1, gw2 did not pass" in capsys.readouterr().err


def test_a_message_cannot_write_to_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "mail.eml"
    file.write_bytes(b"DKIM-Signature: v=1; s=\x1b[31mevil; d=example.com\r\n" + MESSAGE)
    capsys.readouterr()
    assert call(folder, "check", os.fspath(file)) == 1
    answer = capsys.readouterr()
    assert "\x1b" not in answer.out + answer.err
