"""`gateway demo`: the main job on sample documents, through both doors of a gateway with built-in defaults.

It needs no configuration: everything it keeps is below `var/demo`, which every run begins anew. Nothing leaves the
machine; the mails are files of a Maildir.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import email
import email.policy
import shutil
import smtplib
import time
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.text import safe
from gateway.errors import Refused

if TYPE_CHECKING:
    from gateway.cli import Commands, Context
    from gateway.client import Client
    from gateway.config import Config

FOLDER = Path("var/demo")
MARK = "made-by-gateway-demo"  # only a folder that has this file is ever removed
SECONDS = 60.0  # until every sample must have arrived

BY_MAIL = ("invoice-kvarnbacken.xml", "invoice-papeterie.pdf")
BY_FOLDER = ("credit-note-havnens.xml",)
RECIPIENTS = (  # the credit note's customer has no row: it goes to the address in the document
    {"number": "0010427", "email": "faktura@kvarnbacken.example", "type": "invoice", "language": "sv"},
    {
        "number": "0020881",
        "email": "compta@lindqvist.example;ekonomi@lindqvist.example",
        "type": "invoice",
        "language": "fr",
    },
)


def register(commands: Commands) -> None:
    """Add the verb."""
    help_ = "send the sample documents through a gateway of its own"
    parser = commands.add_parser("demo", help=help_, description=__doc__)
    parser.add_argument("--once", action="store_true", help="end when every sample has arrived; exit 1 if one has not")
    parser.add_argument("--port", type=int, default=2525, help="where SMTP listens; 0 takes any (default 2525)")
    parser.set_defaults(run=run)


def run(context: Context, args: argparse.Namespace) -> int:
    """Show the main job; exit code 1 when a sample did not arrive or a signature is wrong."""
    import msgspec

    from gateway.cli.serve import set_up_logging
    from gateway.config import embedded_defaults

    set_up_logging("error")
    _begin_anew(FOLDER)
    with contextlib.suppress(KeyboardInterrupt):
        config = embedded_defaults(FOLDER)
        listeners = (msgspec.structs.replace(config.listeners[0], port=args.port),)
        return asyncio.run(_show(msgspec.structs.replace(config, listeners=listeners), args.once))
    return 0


def _begin_anew(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise Refused(f"{folder} exists and was not made by a demo; move it away")
        shutil.rmtree(folder)
    (folder / "dkim").mkdir(parents=True, exist_ok=True)
    (folder / "drop").mkdir()
    (folder / MARK).touch()
    # So that the other commands find this gateway's socket.
    (folder / "gateway.toml").write_text('[gateway]\nadmin_socket = "admin.sock"\ndatabase = "sqlite:gateway.db"\n')


async def _show(config: Config, once: bool) -> int:
    from gateway.daemon import Daemon

    records = _make_keys(config)
    daemon = Daemon(config)
    async with daemon.running():
        port = daemon.ports[0]
        print(
            f"A gateway runs: SMTP on 127.0.0.1:{port}, drop folder {FOLDER / 'drop'}, mails in {FOLDER / 'outbox/new'}"
        )
        for name, value in records.items():
            print(f"DNS record: {name} TXT {value[:48]}…")
        print(flush=True)
        good = await asyncio.to_thread(_hand_in_and_report, config, port, records)
        if once:
            return 0 if good else 1
        print(f"\nIt stays up until Ctrl-C. Mail it or drop a file; in another terminal, in {Path.cwd()}:")
        print(f"  .venv/bin/gateway -c {FOLDER / 'gateway.toml'} documents list", flush=True)
        await asyncio.Event().wait()
    return 0


def _make_keys(config: Config) -> dict[str, str]:
    """A new key for each configured selector, RSA first; the records to publish, by name."""
    from gateway import signing

    records = {}
    for place, key in enumerate(config.dkim):
        key.file.write_bytes(signing.generate("ed25519" if place else "rsa"))
        key.file.chmod(0o600)
        name, value = signing.dns_record(signing.load_key(key.selector, key.file), config.sender.domain)
        records[name] = value
    return records


# --- handing in ------------------------------------------------------------------------------------------


def _hand_in_and_report(config: Config, port: int, records: Mapping[str, str]) -> bool:
    """Fill the directory, hand in the samples, print what became of each; whether all is well."""
    from gateway.client import Client

    client = Client(config.gateway.admin_socket)
    for row in RECIPIENTS:
        client.post("/recipients", row)
    client.put("/settings/resolve.document_address", {"value": "true"})
    for name in BY_MAIL:
        _mail(port, name)
    for name in BY_FOLDER:
        _drop(config, name)
    good = True
    for name in (*BY_MAIL, *BY_FOLDER):
        found = _await(client, name)
        line, well = _line(name, found, config, records)
        print(line, flush=True)
        good = good and well
    return good


def _mail(port: int, name: str) -> None:
    from gateway import resources

    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "erp@seller.example", "gateway@localhost", name
    message.set_content("One document.")
    kind = "pdf" if name.endswith(".pdf") else "xml"
    message.add_attachment(resources.read_bytes(f"samples/{name}"), maintype="application", subtype=kind, filename=name)
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.send_message(message)


def _drop(config: Config, name: str) -> None:
    from gateway import resources

    folder = next(source.folder for source in config.sources if source.folder)
    hidden = folder / f".{name}.tmp"
    hidden.write_bytes(resources.read_bytes(f"samples/{name}"))
    hidden.rename(folder / name)


# --- what became of it -----------------------------------------------------------------------------------


def _await(client: Client, name: str) -> dict[str, Any] | None:
    """The document made of the sample once it has ended or is held; None when that takes too long."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        for document in client.get("/documents"):
            if document["file_name"] == name and document["state"] not in ("received", "queued"):
                return dict(client.get(f"/documents/{document['id']}"))
        time.sleep(0.1)
    return None


def _line(name: str, document: dict[str, Any] | None, config: Config, records: Mapping[str, str]) -> tuple[str, bool]:
    """One line about one sample, and whether it arrived signed."""
    if document is None:
        return f"{name}: did not arrive within {SECONDS:.0f} s", False
    if document["state"] != "sent":
        return (
            f"{name}: {document['state']}, {safe(document['cause'] or '')}: {safe(document['sentence'] or '')}",
            False,
        )
    chosen = next((step for step in document["trace"] if step["result"] == "chosen"), {"rule": "", "text": ""})
    new = config.relay.directory / "new"
    files = [file for delivery in document["deliveries"] for file in new.glob(f"*{delivery['id']}*")]
    verdicts = _verify(files[0], records) if files else {"no file": "missing"}
    reading = document["reading"]
    what = f"{reading.get('subtype') or document['type']} {document['number']}".replace("_", " ")
    to = ", ".join(delivery["recipient"] for delivery in document["deliveries"])
    well = len(verdicts) == len(records) and set(verdicts.values()) == {"pass"}
    signed = "DKIM: pass" if well else "DKIM: FAIL"
    each = ", ".join(f"{selector} {verdict}" for selector, verdict in verdicts.items())
    line = (
        f"{what} · by {document['channel']} as {name} · for customer {document['customer_number']}: {to}, "
        f"by rule {chosen['rule']} · {_attached(files[0]) if files else '-'} · "
        f"{FOLDER / 'outbox/new' / files[0].name if files else '-'} · {signed} ({each})"
    )
    return safe(line), well


def _attached(file: Path) -> str:
    """Format and name of what is attached to a mail."""
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    return ", ".join(f"{part.get_content_type()} {part.get_filename()}" for part in message.iter_attachments())


def _verify(file: Path, records: Mapping[str, str]) -> dict[str, str]:
    from gateway import signing

    return dict(signing.verify(file.read_bytes(), records))
