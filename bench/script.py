"""What people run today instead of a gateway: a folder is watched, and each file that appears is mailed on.

`python -m bench.script FOLDER PORT [ADDRESSES KEY]`: twenty lines of watchdog and smtplib, as they are written again
and again. With ADDRESSES (customer number;address) and KEY (RSA) it does a gateway's job: it reads the customer's
number in the PDF, looks the address up and signs. It is here to be compared with, faults included (`bench faults`):
what was there before it started is not seen, a file that is written in two goes is mailed half, and a mail that the
server does not take is lost.
"""

from __future__ import annotations

import csv
import re
import smtplib
import sys
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import dkim
import pypdfium2
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

_NUMBER = re.compile(r"Customer number: (\S+)")
SENDER = "erp@seller.example"


class Mailer(FileSystemEventHandler):
    """Mails what appears, then moves it away."""

    def __init__(self, port: int, done: Path) -> None:
        self._port, self._done = port, done

    def on_created(self, event: FileSystemEvent) -> None:
        """A file is there."""
        self._mail(Path(str(event.src_path)))

    def on_moved(self, event: FileSystemEvent) -> None:
        """A file was renamed into the folder."""
        self._mail(Path(str(event.dest_path)))

    def _mail(self, path: Path) -> None:
        if path.parent == self._done or not path.is_file():
            return
        data = path.read_bytes()
        address = self._address(data)
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"], message["Subject"] = SENDER, address, path.name
        message.set_content("Your document is attached.")
        message.add_attachment(data, maintype="application", subtype="pdf", filename=path.name)
        with smtplib.SMTP("127.0.0.1", self._port) as server:
            server.sendmail(SENDER, address, self._signed(message.as_bytes()))
        path.rename(self._done / path.name)

    def _address(self, data: bytes) -> str:
        return "ap@customer.example"

    def _signed(self, message: bytes) -> bytes:
        return message


class Gateway(Mailer):
    """Mails each PDF to its customer, signed."""

    def __init__(self, port: int, done: Path, addresses: Path, key: Path) -> None:
        super().__init__(port, done)
        with addresses.open() as file:
            self._addresses = dict(csv.reader(file, delimiter=";"))
        self._key = key.read_bytes()

    def _address(self, data: bytes) -> str:
        document = pypdfium2.PdfDocument(data)
        found = _NUMBER.search(document[0].get_textpage().get_text_range())
        document.close()
        assert found is not None
        return self._addresses[found[1]]

    def _signed(self, message: bytes) -> bytes:
        header = dkim.sign(message, b"s1", b"seller.example", self._key, canonicalize=(b"relaxed", b"relaxed"))
        return bytes(header) + message


def main(folder: Path, port: int, *more: str) -> None:
    """Watch until killed."""
    done = folder.with_name(folder.name + "-done")
    done.mkdir(exist_ok=True)
    observer = Observer()
    mailer = Gateway(port, done, Path(more[0]), Path(more[1])) if more else Mailer(port, done)
    observer.schedule(mailer, str(folder))
    observer.start()
    print("ready", flush=True)
    observer.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
