"""Any invoice that the model can hold becomes a page: no term, no length and no character stops it."""

import datetime as dt
import io
import typing
from decimal import Decimal
from typing import Any

import msgspec
import pikepdf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import en16931
from tests import pdf_text
from tests.invoices import SOURCE, pdf

TEXT = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(
    ("", " ", "#panic()", "$", "\u202e", "\x00", "a\nb", "{page}", "x" * 400, "株", "\u200b", "e\u0301", "\ufffe", "🦊")
)
NUMBER = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15)
DECIMAL = NUMBER | st.just(Decimal("NaN")) | st.just(Decimal("1E+20"))


def some(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a term's type; terms inside terms are filled too."""
    if isinstance(kind, type) and issubclass(kind, en16931.Term):
        hints = typing.get_type_hints(kind)
        return st.deferred(lambda: st.builds(kind, **{name: some(hint) for name, hint in hints.items()}))
    if kind in SIMPLE:
        return SIMPLE[kind]
    inner = typing.get_args(kind)
    if typing.get_origin(kind) is tuple:
        if inner[-1] is Ellipsis:
            return st.lists(some(inner[0]), max_size=3).map(tuple)
        return st.tuples(*map(some, inner))
    return st.one_of(*map(some, inner))


SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    Decimal: DECIMAL,
    dt.date: st.dates(),
    int: st.integers(0, 10**12),
    bool: st.booleans(),
    type(None): st.none(),
}
CODED = {"type_code": (None, "380", "381", "389"), "currency": (None, "EUR", "JPY", "")}
INVOICE = st.builds(
    msgspec.structs.replace, some(en16931.Invoice), **{name: st.sampled_from(codes) for name, codes in CODED.items()}
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(INVOICE, st.sampled_from(("en", "fr", "de", "sv", "", "tlh")))
def test_any_invoice_becomes_a_page(content, language):
    made = pdf(content, language)
    assert pdf_text.pages(made)
    with pikepdf.open(io.BytesIO(made)) as document:
        (attached,) = document.attachments.values()
        assert attached.get_file().read_bytes() == SOURCE.content


@settings(max_examples=60, deadline=None)
@given(TEXT)
def test_any_text_is_shown_or_replaced(text):
    from gateway.formats.glyphs import Page, showable

    shown = Page().text(text)
    assert set(shown) <= showable() | {"\n"}
