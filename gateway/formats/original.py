"""As it came: the bytes that were handed in, whatever they are, with the signature or the container around them."""

from __future__ import annotations

from typing import Final

from gateway.formats.contract import Options
from gateway.model import Attachment, ReadDocument

name: Final = "original"
label: Final = "As it came"
media_type: Final = "application/octet-stream"
read: Final = "everything that any reader takes"
written: Final = "as it came"
checked: Final = "the bytes are the original's"


def accepts(document: ReadDocument) -> bool:
    """Always."""
    return True


def write(document: ReadDocument, source: Attachment, options: Options) -> Attachment:
    """`source` itself."""
    return source
