"""Two admins, one row: what stood there, what the other saved, what I wrote, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.columns import cell
from tui.safe import safe
from tui.words import _


class Conflicted(ModalScreen[bool]):
    """True: save mine over theirs; False: back to the form."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "answer(True)", show=False),
        Binding("escape,n", "answer(False)", show=False),
    ]

    def __init__(
        self, sentence: str, base: Mapping[str, str], mine: Mapping[str, str], theirs: Mapping[str, str]
    ) -> None:
        super().__init__()
        self.sentence, self.base, self.mine, self.theirs = sentence, base, mine, theirs

    def compose(self) -> ComposeResult:
        """A table of the fields that differ."""
        from tui.form import LABELS

        lines = [cell("", 16) + cell(_("before"), 19) + cell(_("theirs"), 19) + cell(_("mine"), 18)]
        for name, label in LABELS.items():
            base, theirs, mine = self.base[name], self.theirs[name], self.mine.get(name, self.base[name])
            if base != theirs or base != mine:
                lines.append(
                    cell(_(label), 15) + " " + " ".join(cell(text or "–", 18) for text in (base, theirs, mine))
                )
        with Vertical(classes="dialog"):
            yield Static(Text(safe(self.sentence), style="bold"))
            yield Static(Text("\n".join(lines), no_wrap=True))
            yield Static(Text(_("m save mine over theirs   Esc back to the form")))

    def action_answer(self, mine: bool) -> None:
        """Close with the answer."""
        self.dismiss(mine)
