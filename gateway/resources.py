"""Files that come with the program: templates, labels, fonts, samples, the commented configuration."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

PACKAGE = Path(str(files("gateway")))

# What stands elsewhere in a checkout than in an installed package.
_IN_CHECKOUT = {"data/gateway.toml": "conf/gateway.toml"}


def path(name: str) -> Path:
    """The file or folder `name` of the package (`formats/invoice.typ`); FileNotFoundError if it is not there."""
    packaged = PACKAGE / name
    if packaged.exists():
        return packaged
    checkout = PACKAGE.parent / _IN_CHECKOUT.get(name, name)
    if checkout.exists():
        return checkout
    raise FileNotFoundError(f"{name} is missing from the installation: neither {packaged} nor {checkout} is there")


def read_bytes(name: str) -> bytes:
    """The bytes of the file `name`."""
    return path(name).read_bytes()


def read_text(name: str) -> str:
    """The text of the file `name`, which is UTF-8."""
    return path(name).read_text(encoding="utf-8")


def samples() -> tuple[Path, ...]:
    """The bundled sample documents, by name."""
    return tuple(sorted(file for file in path("samples").iterdir() if file.suffix in {".xml", ".pdf"}))
