"""Files inside the parts of a mail: written into its text, packed in an archive, hidden in a winmail.dat."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gateway import mimeheader
from gateway.errors import Unreadable
from gateway.mime import judge, tnef, uuencode, zipped
from gateway.mime.values import Fault, Leaf, Options
from gateway.mimeheader import Headers

_BINHEX = re.compile(rb"^\(This file must be converted with BinHex", re.MULTILINE | re.IGNORECASE)
_NO_HEADERS = Headers([])


class Opened:
    """The leaves of one mail with the files inside them; `odd` names what was met, `notes` says what became of it."""

    def __init__(self, options: Options) -> None:
        self.odd: dict[str, None] = {}
        self.notes: list[str] = []
        self._options = options
        self._budget = zipped.Budget(options.limits)

    def all(self, leaves: Sequence[Leaf]) -> list[Leaf]:
        """Each leaf, and after it the files in it. Unreadable when there are too many."""
        limits = self._options.limits
        found = [each for leaf in leaves for each in (leaf, *self._inside(leaf))]
        if len(found) > limits.parts + limits.entries:
            raise Unreadable("too-large", f"The mail has more than {limits.parts + limits.entries} files.")
        return found

    def _inside(self, leaf: Leaf) -> Iterator[Leaf]:
        if leaf.in_report:
            return
        if leaf.left_out == judge.TEXT and leaf.media_type == "text/plain":
            yield from self._in_text(leaf)
        elif leaf.is_document and zipped.is_zip(leaf.data):
            yield from self._in_archive(leaf)
        elif leaf.is_document and tnef.is_tnef(leaf.data):
            yield from self._in_winmail(leaf)

    def _in_text(self, leaf: Leaf) -> Iterator[Leaf]:
        for encoded in uuencode.files(leaf.data):
            self.odd["uuencode"] = None
            name = mimeheader.file_name(mimeheader.decode(encoded.name, self._options.charsets)) or "file"
            file = self._file(leaf, name, encoded.data, f"{leaf.where}, uuencoded in the text")
            if encoded.fault:
                sentence = f"The file {name} in the text of the mail is damaged: {encoded.fault}."
                file.fault = Fault(cause="uuencode", sentence=sentence)
                self.notes.append(sentence)
            yield file
        if _BINHEX.search(leaf.data):
            self.odd["binhex"] = None
            file = self._file(leaf, "file.hqx", leaf.data, f"{leaf.where}, in the text")
            file.fault = Fault(
                cause="binhex", sentence="The text of the mail holds a file in BinHex, which is not read."
            )
            yield file

    def _in_archive(self, leaf: Leaf) -> Iterator[Leaf]:
        self.odd["zip"] = None
        found = zipped.unpack(leaf.name, leaf.data, self._budget, self._options.charsets)
        if isinstance(found, Fault):
            leaf.fault = found
            self.notes.append(found.sentence)
            return
        leaf.is_document, leaf.left_out = False, "an archive, and opened"
        for entry in found:
            file = self._file(leaf, entry.name, entry.data, f"{leaf.where}, {leaf.name}: {entry.path}")
            file.folder = f"{leaf.where}/{entry.path.rpartition('/')[0]}"
            if entry.litter:
                file.is_document, file.left_out = False, "litter of a file manager"
            yield file

    def _in_winmail(self, leaf: Leaf) -> Iterator[Leaf]:
        self.odd["winmail"] = None
        try:
            found = tnef.files(leaf.data, self._options.charsets)
        except tnef.Damaged as damaged:
            sentence = f"{leaf.name} hides Outlook's attachments and cannot be read: {damaged}."
            leaf.fault = Fault(cause="winmail", sentence=sentence)
            self.notes.append(sentence)
            return
        leaf.is_document, leaf.left_out = False, "Outlook's own wrapping, and opened"
        for hidden in found:
            file = self._file(leaf, hidden.name, hidden.data, f"{leaf.where}, {leaf.name}: {hidden.name}")
            if hidden.is_mail:
                file.is_document, file.left_out = False, "an item of Outlook"
            yield file

    @staticmethod
    def _file(inside: Leaf, name: str, data: bytes, where: str) -> Leaf:
        """A file inside another part: nobody says its type, so it is told by its bytes and its name."""
        left_out = judge.named(name) if data.strip() else "an empty file"
        return Leaf(
            _NO_HEADERS,
            "application/octet-stream",
            b"",
            name=name,
            data=data,
            is_document=not left_out,
            where=where,
            folder=where.partition(":")[0],
            left_out=left_out,
        )
