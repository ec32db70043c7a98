"""What people run today instead of a gateway: a folder is watched, and each file that appears is mailed on.

`python -m bench.script FOLDER PORT`: twenty lines of watchdog and smtplib, as they are written again and again. It is
here to be compared with, faults included: what was there before it started is not seen, a file that is written in two
goes is mailed half, and a mail that the server does not take is lost.
"""

from __future__ import annotations

import smtplib
import sys
from email.message import EmailMessage
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer


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
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "erp@seller.example", "ap@customer.example", path.name
        message.set_content("Your document is attached.")
        message.add_attachment(path.read_bytes(), maintype="application", subtype="pdf", filename=path.name)
        with smtplib.SMTP("127.0.0.1", self._port) as server:
            server.send_message(message)
        path.rename(self._done / path.name)


def main(folder: Path, port: int) -> None:
    """Watch until killed."""
    done = folder.with_name(folder.name + "-done")
    done.mkdir(exist_ok=True)
    observer = Observer()
    observer.schedule(Mailer(port, done), str(folder))
    observer.start()
    print("ready", flush=True)
    observer.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
