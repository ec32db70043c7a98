"""What `?` shows: the keys of the page and those that work everywhere, made from the bindings themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.binding import Binding
from textual.screen import Screen

from tui.commands import COMMANDS
from tui.searchwords import hint
from tui.words import N_, _

if TYPE_CHECKING:
    from tui.app import Console
    from tui.page import Page
    from tui.pager import Pager

_LIST_KEYS = (
    ("↑ ↓ k j", N_("one row")),
    ("PgUp PgDn Ctrl+U Ctrl+D", N_("one screen")),
    ("g G", N_("first and last row")),
    (N_("Enter"), N_("open the row")),
    (N_("Space  *"), N_("mark the row, mark all that match")),
)


_TEXT_KEYS = (
    ("↑ ↓ k j", N_("one line")),
    (N_("PgUp PgDn Space b"), N_("one screen")),
    ("g G", N_("first and last line")),
    (N_("Esc q"), N_("Back")),
)


def help_lines(page: Page, app: Console) -> list[str]:
    """The lines of the help of a page."""
    lines = ["", _("On this page")]
    lines += _bindings([b for kind in (type(page),) for b in kind.BINDINGS if isinstance(b, Binding)])
    lines += ["", _("In every list")]
    lines += [f"  {_(keys):<26}{_(what)}" for keys, what in _LIST_KEYS]
    lines += _bindings([b for b in page.SHARED if isinstance(b, Binding)])
    if page.WORDS:
        lines += ["", _("In the search line"), "  " + hint(page.WORDS)]
    lines += ["", _("Everywhere")]
    lines += _bindings([b for b in type(app).BINDINGS if isinstance(b, Binding)])
    lines += ["", _("Commands after :")]
    lines += [f"  {word:<26}{_(what)}" for word, what in COMMANDS.items()]
    return lines


_FIELD_KEYS = (
    (N_("Tab ↓"), N_("next field")),
    (N_("Shift+Tab ↑"), N_("field before")),
    (N_("← → Space"), N_("another value, where there are ‹ ›")),
    ("Ctrl+U Ctrl+K", N_("delete to the left, to the right")),
)


def form_help_lines(kind: type[Screen[Any]]) -> list[str]:
    """The lines of the help of a form."""
    lines = ["", _("In this form"), *_bindings([b for b in kind.BINDINGS if isinstance(b, Binding)])]
    lines += [f"  {'F1 Ctrl+G':<26}{_('Help')}", "", _("In the fields")]
    lines += [f"  {_(keys):<26}{_(what)}" for keys, what in _FIELD_KEYS]
    lines += ["", _("Fields with a red * are mandatory; what is wrong with a field stands below it.")]
    return [*lines, _("Several addresses are separated by semicolons.")]


def view_help_lines(kind: type[Pager]) -> list[str]:
    """The lines of the help of a text with keys of its own."""
    lines = ["", _("On this page"), *_bindings([b for b in kind.BINDINGS if isinstance(b, Binding)])]
    return [*lines, "", _("In every text"), *(f"  {_(keys):<26}{_(what)}" for keys, what in _TEXT_KEYS)]


_SHOWN = {
    "slash": "/",
    "escape": N_("Esc"),
    "exclamation_mark": "!",
    "question_mark": "?",
    "colon": ":",
    "enter": N_("Enter"),
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
}


def _named(key: str) -> str:
    """A key as people write it."""
    return f"Ctrl+{key[5:].upper()}" if key.startswith("ctrl+") else key.upper() if key == "f1" else key


def _bindings(bindings: list[Binding]) -> list[str]:
    lines = []
    for binding in bindings:
        keys = " ".join(_(_SHOWN[key]) if key in _SHOWN else _named(key) for key in binding.key.split(","))
        if binding.description:
            lines.append(f"  {keys:<26}{_(binding.description)}")
    return lines
