"""However letters are placed on a page, each of them is in one word, and words are where their letters are."""

from __future__ import annotations

import os
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.test_readers_pdftext import letter_boxes, lines_of, pdf

EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "100"))
quick = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_NEAR = 0.01  # mm: coordinates are 32-bit floats of points

sizes = st.integers(-24, 24).filter(lambda size: abs(size) >= 4)
matrices = st.sampled_from(["1 0 0 1", "-1 0 0 1", "1 0 0 -1", "-1 0 0 -1", "0 1 -1 0", "0 -1 1 0", "0.8 0.6 -0.6 0.8"])
placed = st.one_of(
    st.builds("/F1 {} Tf".format, sizes),
    st.builds("{} Ts".format, st.integers(-12, 12)),
    st.builds("{} Tc".format, st.integers(-15, 15)),
    st.builds("{} {} Td".format, st.integers(-60, 60), st.integers(-14, 14)),
    st.builds("{} 300 400 Tm".format, matrices),
)
shown = st.one_of(
    st.sampled_from(["(aaa) Tj", "(b) Tj", "(c d) Tj", "( e) Tj", "(Invoice no 17) Tj"]),
    st.builds("[(aa) {} (bb)] TJ".format, st.integers(-3000, 3000)),
    st.builds("[(a) {} ( b)] TJ".format, st.integers(-3000, 3000)),
)
drawn = st.lists(st.one_of(placed, shown), max_size=12).map(
    lambda ops: " ".join(["/F1 10 Tf 1 0 0 1 300 400 Tm", *ops])
)


@quick
@given(drawn)
def test_each_letter_is_in_one_word_and_words_are_where_their_letters_are(operators: str) -> None:
    data = pdf(operators)
    letters = [(letter, box) for letter, box in letter_boxes(data) if letter.isprintable() and letter != " "]
    cells = [cell for line in lines_of(data) for cell in line.cells]
    assert Counter("".join(cell.text for cell in cells).replace(" ", "")) == Counter(letter for letter, _ in letters)
    for cell in cells:
        assert cell.text == " ".join(word.text for word in cell.words)
        for word in cell.words:
            edges = [[box[side] for letter, box in letters if letter in word.text] for side in range(4)]
            assert all(
                min(abs(edge - at) for at in edge_of) < _NEAR for edge, edge_of in zip(word.box, edges, strict=True)
            )
