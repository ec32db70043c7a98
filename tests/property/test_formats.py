"""Whatever comes in: a writer gives what our reader reads as the same invoice, or says in a sentence why not."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import formats, readers
from gateway.errors import Unconvertible, Unreadable
from gateway.formats.cii_profiles import CiiFormat
from gateway.formats.ubl_profiles import UblFormat
from gateway.model import Attachment
from tests.invoices import NOW
from tests.property.test_corpus_mutated import attempt
from tests.property.test_readers import mutate, mutations

GOLDEN = Path(__file__).parent.parent / "golden"
SAMPLES = [path.read_bytes() for path in sorted(GOLDEN.glob("write-*/in.xml"))]
SAMPLES += [path.read_bytes() for path in sorted(GOLDEN.glob("reader-4*/in.xml"))]
_AS_IT_IS = ("original", "ubl")
_NOT_READ = ("csv",)
WRITTEN = [
    entry
    for entry in formats.FORMATS
    if not entry.media_type.endswith("/pdf") and entry.name not in _AS_IT_IS + _NOT_READ
]
OPTIONS = formats.Options(language="en", now=NOW)
CALM = settings(max_examples=100, deadline=2000, suppress_health_check=[HealthCheck.too_slow])

texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff<&"), max_size=80
)


def check(data: bytes) -> None:
    try:
        document = readers.read("x.xml", "", (), data)[0]
    except Unreadable:
        return
    for entry in WRITTEN:
        made = attempt(entry.write, document, Attachment(name="x.xml", media_type="", content=data), OPTIONS)
        if isinstance(made, Unconvertible):
            continue
        again = readers.read("", "", (), made.content)[0]
        assert document.invoice is not None
        assert again.invoice is not None
        assert again.number == document.number
        if isinstance(entry, UblFormat | CiiFormat):  # others hold fewer sums
            assert again.invoice.totals == document.invoice.totals
        else:
            assert again.invoice.totals.payable == document.invoice.totals.payable
        assert all(note.endswith(".") for note in made.notes)


@CALM
@given(st.sampled_from(SAMPLES), mutations)
def test_documents_gone_wrong(sample: bytes, changes: list[tuple[str, float, bytes]]) -> None:
    check(mutate(sample, changes))


@CALM
@given(st.sampled_from(SAMPLES), texts, texts, texts)
def test_any_text_in_an_invoice(sample: bytes, number: str, name: str, amount: str) -> None:
    text = sample.decode().replace("C-2026/0815", number).replace("Lindner", name).replace("22.00", amount)
    check(text.encode())


@CALM
@given(
    st.sampled_from(SAMPLES),
    st.sampled_from(["ram:", "cbc:", "cac:"]),
    st.integers(0, 400),
    st.sampled_from(["", " ", "1", "20260101", "x" * 400, "-0.005", "1e5", "٣"]),
)
def test_any_element_with_another_value(sample: bytes, prefix: str, place: int, value: str) -> None:
    pieces = sample.decode().split(f"</{prefix}")
    at = place % len(pieces)
    head, _, _ = pieces[at].rpartition(">")
    pieces[at] = f"{head}>{value}"
    check(f"</{prefix}".join(pieces).encode())
