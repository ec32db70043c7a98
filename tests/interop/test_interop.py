"""Verifiers of others agree with our signatures, and parsers of others see our fields: mailauth, libmime, OpenDKIM.

mailauth is installed by `npm ci` in this folder. Without it, or without OpenDKIM, the tests are skipped; in CI
(`CI` is set) a missing mailauth fails.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gateway import compose, headers, signing
from gateway.model import Attachment, Peer

HERE = Path(__file__).parent
NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
DOMAIN = "pageroonline.com"
COUNT = 240
OWN = [
    "from",
    "reply-to",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "auto-submitted",
    "mime-version",
    "content-type",
]
FRAGMENTS = [
    *(
        "Invoice ",
        "4711",
        " ",
        "  ",
        "\t",
        "\r\n",
        "\n",
        "\r\nBcc: evil@e.example\r\n",
        "=?utf-8?q?x=0D=0ABcc=3A_e=40e?=",
    ),
    *(
        "räkning ",
        "請求書",
        "😀",
        "=",
        "?",
        '"',
        "\\",
        "<a@b>",
        "(c)",
        ";",
        ",",
        ".\r\n",
        "\u2028",
        "\x00",
        "\u202e",
        "x" * 200,
    ),
]
FORGERIES = [
    b"Reply-To: evil@e.example",
    b"Cc: evil@e.example",
    b"Subject: pay here",
    b"From: evil@e.example",
    b"Content-Type: text/html",
    b"Sender: evil@e.example",
]


def compose_any(chance: random.Random, number: int, *, size: int | None = None, recipients: int | None = None) -> bytes:
    """A mail of random texts and content; `size` and `recipients` are random too where they are not given."""

    def text(most: int) -> str:
        return "".join(chance.choice(FRAGMENTS) for _ in range(chance.randrange(most)))

    content = chance.randbytes(chance.choice([0, 1, 56, 57, 58, 1000, 75_000]) if size is None else size)
    many = chance.randrange(1, 30) if recipients is None else recipients
    return compose.compose(
        compose.Mail(
            from_address=f"acme@{DOMAIN}",
            sender_name=text(6),
            reply_to="billing@acme.example",
            to=tuple(f"to{n}@buyer.example" for n in range(many)),
            cc=("cc@buyer.example",),
            subject=f"{number} {text(12)}",
            body=text(60),
            date=NOW,
            message_id=compose.message_id(number, 1, DOMAIN),
            attachments=(Attachment(name=text(5), media_type="application/pdf", content=content),),
        )
    )


def passed_on(chance: random.Random, number: int, body: bytes | None = None) -> bytes:
    """A mail of somebody else's with a body that the canonical form has to work on."""
    body = body or b"".join(
        chance.choice([b"a", b"  ", b" \r\n", b"\t", b"\r\n", "é".encode(), b"\xe9", b"."])
        for _ in range(chance.randrange(80))
    )
    content = b"From: =?utf-8?q?=C3=84cme?= <erp@acme.example>\r\nSubject: R\xe4kning \xe4\r\n\t1\r\n\r\n" + body
    block, offset = compose.pass_through(
        content,
        from_address=f"acme@{DOMAIN}",
        sender_name="",
        reply_to="erp@acme.example",
        message_id=compose.message_id(number, 1, DOMAIN),
        date=NOW,
        gateway=compose.Trace(peer=Peer(host="192.0.2.1", helo="erp"), hostname="gw.example", submission_id=number),
    )
    return block + b"\r\n" + content[offset:]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Canonical mails `ours-*`, passed-on ones `on-*` and forged ones `forged-*`, with their DNS."""
    made = tmp_path_factory.mktemp("mails")
    keys = (
        signing.parse_key("gw1", signing.generate("rsa")),
        signing.parse_key("gw2", signing.generate("ed25519")),
    )
    (made / "records.json").write_text(json.dumps(dict(signing.dns_record(key, DOMAIN) for key in keys)))
    chance = random.Random(4711)

    def write(name: str, message: bytes, forgery: bytes = b"") -> None:
        signature = signing.sign_message(message, DOMAIN, keys, NOW)
        ending = b"" if message.endswith(b"\r\n") else b"\r\n"  # as SMTP would
        (made / name).write_bytes(forgery + signature + message + ending)

    for number in range(COUNT):
        write(f"ours-{number:03}.eml", compose_any(chance, number))
    for number in range(COUNT // 6):
        write(f"on-{number:03}.eml", passed_on(chance, number))
    write("ours-large.eml", compose_any(chance, COUNT, size=10_000_000))
    write("ours-many.eml", compose_any(chance, COUNT + 1, recipients=500))
    longest = b"".join(piece + b"\r\n" for piece in ("é".encode() * 499, b"x \t" * 332 + b"  ", b" " * 998))
    write("on-long-lines.eml", passed_on(chance, COUNT + 2, longest * 50))  # 998 bytes, RFC 5322 §2.1.1
    for number, forgery in enumerate(FORGERIES):
        write(f"forged-{number}.eml", compose_any(chance, number), forgery + b"\r\n")
    return made


@pytest.fixture(scope="module")
def seen(folder: Path) -> list[dict[str, Any]]:
    """What mailauth and libmime say about each mail."""
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules" / "mailauth").is_dir():
        if os.environ.get("CI"):
            pytest.fail("mailauth is missing: run `npm ci` in tests/interop")
        pytest.skip("mailauth is not installed: `npm ci` in tests/interop")
    run = subprocess.run([node, HERE / "verify.js", folder], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_mailauth_passes_both_signatures(seen: list[dict[str, Any]]) -> None:
    mails = [mail for mail in seen if not mail["file"].startswith("forged")]
    assert len(mails) == COUNT + COUNT // 6 + 3
    for mail in mails:
        verdicts = {each["selector"]: each["result"] for each in mail["results"]}
        assert verdicts == {"gw1": "pass", "gw2": "pass"}, mail


def test_mailauth_fails_every_added_field(seen: list[dict[str, Any]]) -> None:
    mails = [mail for mail in seen if mail["file"].startswith("forged")]
    assert len(mails) == len(FORGERIES)
    for mail in mails:
        assert [each["result"] for each in mail["results"]] == ["fail", "fail"], mail


def test_parsers_of_others_see_our_fields_only(seen: list[dict[str, Any]]) -> None:
    for mail in seen:
        if mail["file"].startswith("ours"):
            assert sorted(mail["names"]) == sorted(["dkim-signature", "dkim-signature", *OWN]), mail
            assert mail["libmimeNames"] == sorted(["dkim-signature", *OWN]), mail
            assert mail["subject"] == headers.clean_text(mail["subject"]), mail


def test_opendkim_passes_both_signatures(folder: Path, tmp_path: Path) -> None:
    opendkim = shutil.which("opendkim", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if opendkim is None:
        assert not os.environ.get("CI"), "CI needs OpenDKIM"
        pytest.skip("OpenDKIM is not installed")
    records = json.loads((folder / "records.json").read_text())
    (tmp_path / "keys").write_text("".join(f"{name} {value}\n" for name, value in records.items()))
    (tmp_path / "opendkim.conf").write_text(f"TestPublicKeys {tmp_path / 'keys'}\nUserID {os.getuid()}\n")
    files = [*sorted(folder.glob("o*.eml")), *sorted(folder.glob("forged-*.eml"))]
    names = ",".join(file.name for file in files)
    run = subprocess.run(
        [opendkim, "-x", tmp_path / "opendkim.conf", "-vv", "-t", names],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    verdicts = re.findall(r"hname='Authentication-Results' hvalue='([^']*)'", run.stdout)
    assert len(verdicts) == len(files), run.stderr
    for file, verdict in zip(files, verdicts, strict=True):
        wanted = "fail" if file.name.startswith("forged") else "pass"
        assert re.findall(r"dkim=(\w+)", verdict) == [wanted, wanted], (file.name, verdict)
