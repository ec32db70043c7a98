"""Everything that is kept of what was tried on the parsers, tried again, and anything like it."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.model import Pattern
from gateway.readers import pdfmatch, pdfvalues
from tests.fuzz import spoilt, targets
from tests.smtp_talk import Talk, open_door

SECONDS = 30  # after which an input hangs; the slowest takes a hundredth of that
KEPT = [(name, path) for name in targets.TARGETS for path in targets.seeds(name)]


@contextmanager
def in_time() -> Iterator[None]:
    """Whatever runs on and on is ended."""

    def late(*_: object) -> None:
        raise AssertionError(f"it takes more than {SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(("name", "path"), KEPT, ids=[f"{name}/{path.name}" for name, path in KEPT])
def test_a_kept_seed_does_no_harm(name: str, path: Path) -> None:
    with in_time():
        targets.TARGETS[name](path.read_bytes())


def test_each_parser_has_seeds() -> None:
    assert {name for name, _ in KEPT} == {"smtp", "mime", "xml", "pdf", "pdf-patterns"}


async def test_the_dialogues_do_no_harm_to_a_server() -> None:
    async with open_door() as door:
        for path in targets.seeds("smtp"):
            talk = await door.connect()
            talk.writer.write(path.read_bytes())
            talk.half_close()
            said = await talk.rest()
            assert said == b"" or said[:1] in b"2345", said
        talk: Talk = await door.connect()
        await talk.begin()
        await talk.send(b"x\r\n.\r\n")
        assert (await talk.reply()).startswith("250")


# --- PDFs ---------------------------------------------------------------------------------------------------

PAGES = sorted((Path(__file__).parents[1] / "golden").glob("reader-*/in.pdf"))


@pytest.fixture(scope="module")
def pages() -> list[bytes]:
    return [spoilt.unpacked(path.read_bytes()) for path in PAGES]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_pdf_with_any_faults_gives_a_document_or_says_why_not(pages: list[bytes], data: st.DataObject) -> None:
    chance = data.draw(st.randoms(use_true_random=False))
    with in_time():
        targets.pdfs(spoilt.spoil(data.draw(st.sampled_from(pages)), chance))


# --- patterns on pages -------------------------------------------------------------------------------------

_TEXT = st.one_of(
    st.sampled_from(
        ["Invoice number", "Date", "Le", "Total due", "Kund nr", "GW1;c=1;t=invoice;e=a@b.example", "Avoir"]
    ),
    st.sampled_from(
        ["1 234,50", "EUR", "€", "03/04/2026", "31 février 2026", "F-17", "a@b.example", "a@", ":", "(", "²"]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
)
_WORD = st.tuples(_TEXT, st.integers(-10, 220), st.integers(-10, 300), st.integers(0, 80))
_REGEX = st.one_of(
    st.sampled_from(
        [r"(\d+)", "(", "(a+)+$", r"(?<=x)(y|z)*", "(?R)", "[", r"(?i)total\s+(.*)", "(?=(.*))", r"\b", "(?au)a"]
    ),
    st.text(st.sampled_from(list("()[]{}|?*+^$.,\\adswbAB01<>=!:-")), max_size=20),
)
_AREA = st.none() | st.tuples(*[st.integers(-20, 320)] * 4)
_PATTERN = st.fixed_dictionaries(
    {"field": st.sampled_from([*pdfvalues.SHAPES, "unknown"])},
    optional={
        "label": st.lists(_TEXT, max_size=3),
        "regex": st.none() | _REGEX,
        "page": st.sampled_from([None, 1, -1, 99]),
        "area": _AREA,
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(_WORD, max_size=30), max_size=3), st.lists(_PATTERN, max_size=4))
def test_any_pattern_on_any_page(pages: list[Any], patterns: list[Any]) -> None:
    with in_time():
        targets.pdf_patterns(json.dumps({"pages": pages, "patterns": patterns}).encode())


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from(list("a.@;-_é ")), max_size=60))
def test_an_address_is_taken_out_of_any_text(text: str) -> None:
    said = pdfvalues.email(text)
    for each in said.split(";") if said else ():
        local, _, domain = each.partition("@")
        assert each in text
        assert local
        assert domain.find(".") > 0
        assert domain[-1].isalnum()


def test_a_label_that_never_ends_is_looked_at_so_far_and_no_further() -> None:
    lines = [(text, 0 if text == "Date:" else 20, 5 * row, 15) for row in range(700) for text in ("Date:", "x")]
    looked: list[str] = []
    page = targets.page(1, lines)
    found = list(pdfmatch.hits(Pattern(field="number", label=("Date",)), page, looked.append))
    assert found == []
    assert len(looked) == pdfmatch.MAX_LABELS
    line = targets.page(1, [("Date:" + "x" * 5000, 0, 10, 200)])
    (hit,) = pdfmatch.hits(Pattern(field="number", label=("Date",)), line, lambda said: str(len(said)))
    assert hit.value == str(pdfmatch.MAX_AFTER)
