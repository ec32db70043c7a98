"""What really goes over the line: bytes on a pseudo-terminal, with 100,000 recipients and with hostile data."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import re
import unicodedata
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.terminal import Terminal
from bench.terminal import terminal as started
from gateway.store import companies, recipients
from gateway.store.schema import recipient
from tests.tui.conftest import Desk
from tui.columns import cell

MANY = 100_000


def terminal(desk: Desk, *words: str, **environment: str) -> AbstractContextManager[Terminal]:
    return started(desk.path, words, environment)


async def fill(desk: Desk, number: int) -> None:
    def add(connection: Any) -> None:
        company = companies.company_id(connection, "default")
        rows = [
            {
                **{"id": n, "company_id": company, "number": f"{n:07}", "number_key": f"{n}", "type": "invoice"},
                **{"email": [f"kund{n}@example.com"], "cc": [], "name": f"Köpare {n} AB", "version": 1},
                **{"updated_at": desk.now, "format": None, "language": None, "search": f"{n:07}\nkund{n}@example.com"},
            }
            for n in range(1, number + 1)
        ]
        connection.execute(sa.insert(recipient), rows)

    await desk.store.write(add)


def pages(desk: Desk) -> list[str]:
    """The pages of recipients that the screens asked for since `asked` was emptied."""
    return [path for path in desk.asked if path.startswith("/recipients?")]


async def test_hundred_thousand_recipients_over_a_thin_line(desk: Desk) -> None:
    """Whatever the machine: one page is read to show them, none to move, one to go to the end, and little is sent."""
    await fill(desk, MANY)
    with terminal(desk) as tty:
        await asyncio.to_thread(tty.until, b"Home")
        assert await asyncio.to_thread(tty.rests, 0.5)
        tty.press(b"2")
        got = await asyncio.to_thread(tty.until, b"kund1@")
        assert len(got) < 15_000
        assert await asyncio.to_thread(tty.rests, 0.5)
        assert {("limit=64" in path, "offset" in path) for path in pages(desk)} == {(True, False)}
        desk.asked.clear()
        sent = list[int]()
        for key, number in ((b"j", 10), (b"j", 100), (b"\x1b[B", 1000), (b"k", 100), (b"\x1b[A", 10)):
            tty.press(key)
            sent.append(len(await asyncio.to_thread(tty.until, b"kund%d@" % number)))
            sent[-1] += len(await asyncio.to_thread(tty.quiet, 0.3))
        order = sorted(range(1, MANY + 1), key=str)
        walk = [(b"j", place) for place in range(2, 32)] + [(b"k", place) for place in range(30, 0, -1)]
        for key, place in walk:  # over both edges of the screen, where each key scrolls
            tty.press(key)
            sent.append(len(await asyncio.to_thread(tty.until, b"kund%d@" % order[place])))
        assert 0 < max(sent) <= 600
        assert desk.asked == []
        tty.press(b"G")
        await asyncio.to_thread(tty.until, b"kund99999@")
        assert await asyncio.to_thread(tty.rests, 0.5)
        assert len(pages(desk)) == 1
        assert await asyncio.to_thread(tty.rests, 2.0)
        assert tty.memory() < 150 << 20


async def test_ctrl_l_draws_everything_again(desk: Desk) -> None:
    await desk.document(hold="1001")
    with terminal(desk) as tty:
        await asyncio.to_thread(tty.until, b"HELD 1")
        assert await asyncio.to_thread(tty.rests, 1.0)
        tty.press(b"\x0c")
        got = await asyncio.to_thread(tty.until, b"Help")  # the end of the last line
    assert got.index(b"Gateway") < got.index(b"1001") < got.index(b"Switches")


async def test_keys_that_come_in_one_piece_go_where_they_are_meant_for(desk: Desk) -> None:
    """A thin line brings several keys at once: what follows a Tab is the next field's, what follows / the search's."""
    await desk.row("1001", "a@example.com", name="a/b")
    await desk.row("1002", "c@example.com")
    with terminal(desk) as tty:
        await asyncio.to_thread(tty.until, b"Home")
        tty.press(b"2")
        await asyncio.to_thread(tty.until, b"2 of 2")
        assert await asyncio.to_thread(tty.rests, 0.5)
        tty.press(b"/a/b")
        await asyncio.to_thread(tty.until, b"1 of 2")
        tty.press(b"\r")
        assert await asyncio.to_thread(tty.rests, 0.5)
        tty.press(b"a")
        await asyncio.to_thread(tty.until, b"Ctrl+S")
        assert await asyncio.to_thread(tty.rests, 0.5)
        tty.press(b"2002\tkund@example.com\x13")
        await asyncio.to_thread(tty.until, b"Saved")
    rows = await desk.store.read(recipients.list_recipients, recipients.Filter())
    assert [(row["number"], row["email"]) for row in rows] == [
        ("1001", ["a@example.com"]),
        ("1002", ["c@example.com"]),
        ("2002", ["kund@example.com"]),
    ]


async def test_copy_is_osc_52(desk: Desk) -> None:
    """What `y` copies goes to the terminal's clipboard: OSC 52 with its base64 (xterm, ctlseqs)."""
    await desk.row("1001", "a@example.com")
    with terminal(desk) as tty:
        await asyncio.to_thread(tty.until, b"Home")
        tty.press(b"2")
        await asyncio.to_thread(tty.until, b"a@example.com")
        tty.press(b"y")
        await asyncio.to_thread(tty.until, b"\x1b]52;c;" + base64.b64encode(b"a@example.com"))


HOSTILE = "\x1b]0;PWNED\x07\x9b31m\u202eevil[/x][bold]\u2028\u200b"


async def test_hostile_text_never_reaches_the_terminal(desk: Desk) -> None:
    def add(connection: Any) -> None:
        company = companies.company_id(connection, "default")
        now: dt.datetime = desk.now
        row = {"id": 1, "company_id": company, "number": "7" + HOSTILE, "number_key": "7", "type": "invoice"}
        more = {"email": ["a" + HOSTILE], "cc": [HOSTILE], "name": HOSTILE, "version": 1, "updated_at": now}
        connection.execute(sa.insert(recipient), row | more | {"format": HOSTILE, "language": HOSTILE, "search": ""})

    await desk.store.write(add)
    with terminal(desk) as tty:
        await asyncio.to_thread(tty.until, b"Home")
        tty.press(b"2")
        got = await asyncio.to_thread(tty.until, b"evil")
        got += await asyncio.to_thread(tty.quiet, 0.7)
        tty.press(b"\r")
        got += await asyncio.to_thread(tty.until, b"Ctrl+S")
        got += await asyncio.to_thread(tty.quiet, 0.7)
    text = got.decode("utf-8").replace("\x1b]22;default\x07", "")  # the library's own: the mouse pointer's shape
    assert "\x1b]0;" not in text
    assert not set("\x07\x9b\u202e\u2028\u200b") & set(text)
    assert "[/x]" in text


_OURS = re.compile(rb"\x1b\[[0-9;?<>=]*[$ ]*[A-Za-z]|\x1b\][0-9]+;default\x07|\x1b[=>]|\x1b\([B0]|[\r\n]")


async def test_whatever_the_columns_hold_only_our_own_sequences_are_sent(desk: Desk) -> None:
    """Random Unicode in every column: what is left without the sequences that the library itself sends is text."""
    loop = asyncio.get_running_loop()
    rounds = iter(range(1, 1000))
    with terminal(desk) as tty:
        await asyncio.to_thread(tty.until, b"Home")
        tty.press(b"2")
        await asyncio.to_thread(tty.quiet, 0.5)

        @settings(max_examples=6, deadline=None, database=None)
        @given(st.lists(st.text(min_size=1, max_size=30), min_size=75, max_size=75))
        def holds(texts: list[str]) -> None:
            mark = f"mark{next(rounds)}x"
            asyncio.run_coroutine_threadsafe(replace(desk, texts, mark), loop).result()
            got = tty.until(mark.encode())
            left = _OURS.sub(b"", got + tty.quiet(0.2)).decode("utf-8")
            assert {char for char in left if unicodedata.category(char) in REFUSED} == set()

        await asyncio.to_thread(holds)


REFUSED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


async def replace(desk: Desk, texts: list[str], mark: str) -> None:
    """Rows whose every column holds one of the texts; the first, in the order of the list, holds the mark."""
    # SQLite holds no text that is not UTF-8, and msgspec writes none.
    clean = [text.encode("utf-8", "replace").decode() for text in texts]

    def put(connection: Any) -> None:
        company = companies.company_id(connection, "default")
        connection.execute(sa.delete(recipient))
        for place in range(15):
            number, name, address, copy, kind = clean[place * 5 : place * 5 + 5]
            row = {"id": place + 1, "company_id": company, "number_key": f"{place:03}", "updated_at": desk.now}
            row |= {
                "number": f"{number}{place}",
                "name": mark if place == 0 else name,
                "email": [address],
                "cc": [copy],
            }
            row |= {"type": kind, "format": kind, "language": kind, "version": 1, "search": ""}
            connection.execute(sa.insert(recipient), row)

    await desk.store.write(put)


async def test_no_color_sends_no_colour(desk: Desk) -> None:
    await desk.document(hold="1001")
    with terminal(desk, NO_COLOR="1") as tty:
        got = await asyncio.to_thread(tty.until, b"HELD 1")
        got += await asyncio.to_thread(tty.quiet, 1.0)
    colours = {int(code) for codes in re.findall(rb"\x1b\[([0-9;]+)m", got) for code in codes.split(b";") if code}
    assert not {code for code in colours if 30 <= code <= 37 or 40 <= code <= 47 or 90 <= code <= 107}


async def test_sixteen_colours_and_no_mouse_whatever_the_terminal_can(desk: Desk) -> None:
    """The terminal's own colours, and its own selection: no mode of the mouse is switched on (xterm, ctlseqs)."""
    await desk.document(hold="1001")
    with terminal(desk, COLORTERM="truecolor") as tty:
        got = await asyncio.to_thread(tty.until, b"HELD 1")
        got += await asyncio.to_thread(tty.quiet, 0.5)
        tty.press(b"7")
        got += await asyncio.to_thread(tty.until, b"Activate")
    codes = {code for codes in re.findall(rb"\x1b\[([0-9;]+)m", got) for code in codes.split(b";")}
    assert b"31" in codes
    assert not codes & {b"38", b"48"}
    assert not set(re.findall(rb"\x1b\[\?(\d+)h", got)) & {b"1000", b"1002", b"1003", b"1006", b"1015"}


async def test_an_idle_field_sends_nothing(desk: Desk) -> None:
    """Not even a cursor that blinks."""
    with terminal(desk) as tty:
        await asyncio.to_thread(tty.until, b"Help")
        tty.press(b"2/")
        await asyncio.to_thread(tty.until, b"F1 Help")
        assert await asyncio.to_thread(tty.rests, 1.2)


async def test_ascii_sends_ascii(desk: Desk) -> None:
    await desk.row("1001", "a-very-long-address-of-somebody@a-very-long-domain.example.com", cc=("b@example.com",))
    with terminal(desk, "--ascii") as tty:
        got = await asyncio.to_thread(tty.until, b"Home")
        for keys, wanted in ((b"2", b"1001"), (b"d", b"y yes"), (b"n", b"1001"), (b"a", b"Ctrl+S"), (b"\x1b", b"1001")):
            tty.press(keys)
            got += await asyncio.to_thread(tty.until, wanted)
            got += await asyncio.to_thread(tty.quiet, 0.3)
    assert got.decode("utf-8").isascii()


@settings(max_examples=300)
@given(st.text(), st.integers(1, 40))
def test_a_cell_is_as_wide_as_it_says(text: str, width: int) -> None:
    from rich.cells import cell_len

    assert cell_len(cell(text, width)) == width
    assert cell_len(cell(text, width, cut_middle=True)) == width
