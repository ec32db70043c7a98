"""Whatever a key does has a command line that does the same: for scripts, and for who cannot see a screen."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import inspect
import io
import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.cli import NOUNS, Parser, main
from gateway.model import show_id
from tests.tui import keys
from tests.tui.conftest import Desk
from tui.app import Console
from tui.cliwords import filled
from tui.conflict import Conflicted
from tui.dialogs import Ask, Confirm
from tui.form import Choice, Form
from tui.page import Page
from tui.pager import Pager
from tui.pages import PAGES
from tui.pages.batches import Batches
from tui.pages.importing import Importing
from tui.rows import RowsView

# Keys that change nothing and show no more than what the list of their page shows.
MOVES: Mapping[type, set[str]] = {
    Console: {"page", "help", "palette", "redraw", "leave", "quit"},
    Page: {"search", "back", "copy", "select", "command", "reload"},
    RowsView: {"move", "page", "edge", "open", "mark", "mark_all"},
    Pager: {"close", "scroll"},
    Form: {"close", "tab", "app.focus_next", "app.focus_previous"},
    Choice: {"step"},
    Confirm: {"answer"},
    Ask: {"close", "complete"},
    Conflicted: {"answer"},
}
ELSEWHERE = {  # what a form and the application do stands among the lines of the list that they belong to
    (Console, "undo"): "app.undo",
    (Form, "save"): "edit",
    (Form, "delete"): "delete",
}
SHOWN = {"copy", "select", "command", "help", "tab"}  # of one document and of settings: they show what is shown already


def lines(kind: type) -> dict[str, str]:
    return dict(getattr(kind, "LINES", {}))


WITH_LINES = sorted({*filter(lines, keys.kinds()), *PAGES}, key=lambda kind: kind.__name__)


def test_every_page_says_which_command_shows_the_same() -> None:
    assert [page.__name__ for page in PAGES if "" not in lines(page)] == []


@pytest.mark.parametrize("kind", sorted(keys.kinds(), key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__)
def test_every_key_has_a_command_line(kind: type) -> None:
    for binding in keys.bindings(kind):
        name = binding.action.partition("(")[0]
        known = {each.partition("(")[0] for each in lines(kind)}
        moves = name in MOVES.get(kind, set()) or name in SHOWN or (kind, name) in ELSEWHERE
        assert moves or (name in known and (name != "steer" or binding.action in lines(kind))), (kind, binding.action)


@pytest.mark.parametrize("kind", WITH_LINES, ids=lambda kind: kind.__name__)
def test_every_command_line_is_one(kind: type) -> None:
    """The command line's own parser takes it, so that a renamed verb or option fails here."""
    for line in lines(kind).values():
        assert callable(parsed(line).run)


def parsed(line: str) -> argparse.Namespace:
    """What the command line makes of a line."""
    words = shlex.split(filled(re.sub(r"--search \{search\}", "--search x", line), {}))
    parser = Parser(prog="gateway")
    assert words[0] in NOUNS
    module = importlib.import_module(f"gateway.cli.{words[0]}")
    module.register(parser.add_subparsers(required=True, parser_class=Parser))
    complaint = io.StringIO()
    with contextlib.redirect_stderr(complaint):
        try:
            return parser.parse_args(words)
        except SystemExit:
            pytest.fail(f"gateway {line}: {complaint.getvalue()}")


def test_values_are_quoted() -> None:
    line = filled("recipients set {number} --email {email} --name {name}", {"number": "a b;c", "email": ["x@y", "z@y"]})
    assert shlex.split(line) == ["recipients", "set", "a b;c", "--email", "x@y;z@y", "--name", "NAME"]


@pytest.mark.parametrize(
    ("desk", "kind"),
    [("worker" if kind in (Batches, Importing) else "", kind) for kind in WITH_LINES if "" in lines(kind)],
    ids=lambda each: getattr(each, "__name__", each),
    indirect=["desk"],
)
async def test_what_a_screen_shows_is_there_as_json_and_as_lines(desk: Desk, tmp_path: Path, kind: type) -> None:
    """For scripts and for who cannot see a screen: the same by a command, which never needs a terminal."""
    await desk.row("1001", "a@example.com")
    document = await desk.document(hold="1002")
    await desk.document()
    (tmp_path / "list.csv").write_text("customer_number;email\n1001;b@example.com\n")
    row = {"id": show_id(document), "file": str(tmp_path / "list.csv"), "type": "invoice", "search": ""}
    words = shlex.split(filled(lines(kind)[""], row, company="default"))
    words = [word for word in words if word not in ("--search", "SEARCH")]
    if kind is Batches:
        await said(desk, "recipients", "import", row["file"], "--type", "invoice")
    (plain, code), (shown, json_code) = (await said(desk, *words), await said(desk, "--json", *words))
    assert (code, json_code) == (0, 0)
    assert json.loads(shown) not in ([], {})
    assert plain.strip()
    assert "\x1b" not in plain + shown


async def said(desk: Desk, *words: str) -> tuple[str, int]:
    """What a command writes, and its exit code."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = await asyncio.to_thread(main, ["-c", str(desk.config), *words])
    return out.getvalue(), code


@pytest.mark.parametrize("kind", WITH_LINES, ids=lambda kind: kind.__name__)
def test_every_action_answers_as_json(kind: type) -> None:
    """The function behind each line knows of `--json`, or writes a file as it is."""
    for line in lines(kind).values():
        source = inspect.getsource(parsed(line).run)
        assert "context.json" in source or "say(" in source or "args.output" in source, line
