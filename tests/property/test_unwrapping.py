"""Wrappers in any order and depth, whole or gone wrong: every document once, in order, or `Unreadable`."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from gateway.readers import divide, read
from gateway.readers.limits import MAX_NESTED
from tests.e2e.documents import invoice
from tests.property.test_readers import CALM, attempt, check, mutate, mutations
from tests.unit.test_unwrapping import SBDH, SFTI, SOAP
from tests.unit.test_wrappers import indefinite

Wrap = Callable[[list[bytes]], list[bytes]]


def _bare(data: bytes) -> bytes:
    """XML without its declaration, to stand inside other XML."""
    return data.partition(b"?>")[2] if data.startswith(b"<?xml") else data


def _in_envelope(space: str) -> Wrap:
    def wrap(files: list[bytes]) -> list[bytes]:
        inside = b"".join(map(_bare, files))
        return [
            f"<?xml version='1.0'?><StandardBusinessDocument xmlns='{space}'>".encode()
            + inside
            + b"</StandardBusinessDocument>"
        ]

    return wrap


def _in_soap(files: list[bytes]) -> list[bytes]:
    head, _, tail = SOAP.format(to="x").partition("<eb:Manifest eb:id='1'/>")
    return [head.encode() + b"".join(map(_bare, files)) + tail.encode()]


def _end_to_end(files: list[bytes]) -> list[bytes]:
    return [b"\n".join(SOAP.format(to="x").encode() + file for file in files)]


def _signed(files: list[bytes]) -> list[bytes]:
    return [indefinite(file) for file in files]


def _signed_as_text(files: list[bytes]) -> list[bytes]:
    return [base64.encodebytes(indefinite(file)) for file in files]


def _zipped(files: list[bytes]) -> list[bytes]:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as opened:
        opened.writestr("mimetype", b"application/vnd.etsi.asic-e+zip")
        for place, file in enumerate(files):
            opened.writestr(f"{place}.bin", file)
    return [made.getvalue()]


XML: list[Wrap] = [_in_envelope(SBDH), _in_envelope(SFTI), _in_soap]
BYTES: list[Wrap] = [_end_to_end, _signed, _signed_as_text, _zipped]


@st.composite
def wrapped(draw: st.DrawFn, deepest: int = 4) -> tuple[bytes, list[str]]:
    """A file, and the numbers of the documents in it. XML stands in XML; what is no XML stands in an archive."""
    names = [f"F-{place}" for place in range(draw(st.integers(1, 4)))]
    files = [invoice(name).strip() for name in names]
    for _ in range(draw(st.integers(0, deepest // 2))):
        files = draw(st.sampled_from(XML))(files)
    outer = draw(st.lists(st.sampled_from(BYTES), max_size=deepest // 2))
    for wrap in outer:
        if wrap is not _end_to_end or all(file.startswith(b"<?xml") and file.count(b"<?xml") == 1 for file in files):
            files = wrap(files)
    while len(files) > 1:
        files = _zipped(files)
    return files[0], names


@CALM
@given(wrapped())
def test_every_document_once_and_in_order(made: tuple[bytes, list[str]]) -> None:
    data, names = made
    documents = read("a", "", (), data)
    assert [document.number for document in documents] == names
    assert all(len(document.wrapped) <= MAX_NESTED for document in documents)
    parts = divide("a", data)
    assert len(parts) == (len(names) if len(names) > 1 else 0)
    for part, name in zip(parts, names, strict=False):
        (document,) = read("", "", (), part.data or b"")
        assert document.number == name
        assert not [other for other in names if other != name and f">{other}<".encode() in (part.data or b"")]


@CALM
@given(wrapped(), mutations)
def test_wrappers_gone_wrong(made: tuple[bytes, list[str]], changes: list[tuple[str, float, bytes]]) -> None:
    data = mutate(made[0], changes)
    check(data)
    parts = attempt(divide, "a", data)
    for part in parts if isinstance(parts, list) else ():
        check(part.data or b"")


@CALM
@given(wrapped(), st.floats(0, 1))
def test_wrappers_cut_off(made: tuple[bytes, list[str]], place: float) -> None:
    check(made[0][: int(place * len(made[0]))])
