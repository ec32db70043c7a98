"""Several keys in one packet, as a slow line or a paste brings them: each does what it does when it comes alone."""

from __future__ import annotations

import asyncio

import pytest
from textual import _parser, events

from gateway.store import recipients
from tests.tui.conftest import Desk, line, screen, until
from tests.tui.test_tty import terminal
from tui.dialogs import Confirm
from tui.form import Form
from tui.pages import PAGES
from tui.rows import RowsView
from tui.typed import Escapes

WALK = (  # what comes in one packet, and what is said when all of it was done
    (b":recipients 1002\r", b"1 of 4"),  # on a page that is not there yet
    (b"\x1b:add recipient\r\x1b/1002\r\r", b"Edit recipient   1002"),  # a form left, the search, its result, its form
    (b"\x1b\x1ba2002\tkund@example.com\x13", b"Saved 2002."),  # Esc, the form, its fields, saved
    (b"\x1b\x1b2?\x1bh\x1bdndyu", b"Undone: delete 1001"),  # help and history closed, no, yes, undone
    (b":add recipient\r2003\tnew@example.com\x1by:recip\r", b"5 of 5"),  # not saved after all
    (b":held\ra\ta@example.com\x13", b"1 document goes on."),
    (b"3/xml\r\rCylost\r", b"1 document cancelled."),
    (b"\x1b\x1b4ptoo slow\r\tP", b"The next hop is used again."),
    (b"7\ry", b"distribution OFF"),
    (b"\x1b2*b\x1bbname=X\ry", b"6 recipients changed."),
    (b"!\x1b:docum\t\r:company nobody\r", b"There is no company nobody"),
    (b"GG\x1b:qu\t\r", b"\x1b[?1049l"),  # `quit` is the first that `qu` can become
)


async def fill(desk: Desk) -> None:
    """Four recipients, a held document, and two that wait in the queue."""
    for number in ("1001", "1002", "1003", "1004"):
        await desk.row(number, f"c{number}@example.com")
    await desk.document(hold="9001")
    await desk.document()
    await desk.document()


async def test_every_key_of_a_packet_goes_where_it_is_meant_to(desk: Desk) -> None:
    await fill(desk)
    with terminal(desk) as tty:
        await asyncio.to_thread(tty.until, b"Help")
        for keys, said in WALK:
            tty.press(keys)
            await asyncio.to_thread(tty.until, said)
    rows = await desk.store.read(recipients.list_recipients, recipients.Filter())
    assert [(row["number"], row["email"], row["name"]) for row in rows] == [
        *((number, [f"c{number}@example.com"], "X") for number in ("1001", "1002", "1003", "1004")),
        ("2002", ["kund@example.com"], "X"),
        ("9001", ["a@example.com"], "X"),
    ]


async def test_keys_wait_for_a_slow_gateway_and_are_dropped_before_they_do_harm(desk: Desk) -> None:
    """`a` asks the gateway, which does not answer: what was typed for the form opens and confirms nothing else."""
    await fill(desk)
    async with desk.console().run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: "4 of 4" in line(pilot, "count"))
        pilot.app.patience = 1.0  # type: ignore[attr-defined]
        desk.answering.clear()
        for key in ("a", "d", "y"):
            pilot.app.post_message(events.Key(key, key))
        await until(pilot, lambda: "dropped" in line(pilot, "message"))
        assert isinstance(pilot.app.screen, PAGES[1])
        for key in ("j", "d"):  # what is typed from now on is meant for what is seen
            pilot.app.post_message(events.Key(key, key))
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm))
        desk.answering.set()
        await until(pilot, lambda: isinstance(pilot.app.screen, Form))
    assert len(await desk.store.read(recipients.list_recipients, recipients.Filter())) == 4


async def test_enter_after_a_jump_opens_the_row_that_is_on_its_way(desk: Desk) -> None:
    for number in range(100):
        await desk.row(f"{number:03}", "a@example.com")
    async with desk.console().run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: "100 of 100" in line(pilot, "count"))
        desk.answering.clear()  # the last page does not come
        for key in ("G", "enter"):
            pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: pilot.app.screen.query_one(RowsView).cursor == 99)
        await pilot.pause()
        desk.answering.set()
        await until(pilot, lambda: "Edit recipient   099" in screen(pilot))


@pytest.mark.parametrize(
    ("pieces", "keys"),
    [
        (("\x1b2",), ["escape", "2"]),
        (("\x1b:held\r",), ["escape", "colon", "h", "e", "l", "d", "enter"]),
        (("\x1b\x1b\x1b2",), ["escape", "escape", "escape", "2"]),
        (("\x1b\t\x1b\r\x1b\x13",), ["escape", "tab", "escape", "enter", "escape", "ctrl+s"]),
        (("\x1b", "2"), ["escape", "2"]),  # two packets, the second before the parser gives up on the first
        (("\x1b", None, "2"), ["escape", "2"]),
        (("\x1b", None, "[27u"), ["escape", "left_square_bracket", "2", "7", "u"]),
        (("\x1b", "[A"), ["up"]),
        (("\x1b[A\x1b[Bj\x1bOP",), ["up", "down", "j", "f1"]),
        (("\x1bé\x1bN\x1b?",), ["escape", "é", "escape", "N", "escape", "question_mark"]),
        (("\x1b" + "x" * 40,), ["escape", *"x" * 40]),
        (("\x1b\x7f",), ["ctrl+w"]),  # a word backwards, as in a shell
        (("\x1bb\x1bf",), ["alt+b", "alt+f"]),  # which go to a field as a step of a word, to a list as two keys
    ],
)
def test_escape_and_a_key_right_after_it_are_two_keys(
    pieces: tuple[str | None, ...], keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(_parser, "get_time", lambda: now)
    parser, got = Escapes(), list[str]()
    for piece in (*pieces, None):
        now += 0.0 if piece else 1.0
        made = parser.feed(piece) if piece else parser.tick()
        got += [event.key for event in made if isinstance(event, events.Key)]
    assert got == keys
