"""What asks before it acts, and what shows more text than a line holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.columns import Row
from tui.field import Field
from tui.lines import Line
from tui.safe import safe
from tui.words import Plural, _, some


class Confirm(ModalScreen[bool]):
    """Asks before something that cannot be taken back; only the key that is named says yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,o", "answer(True)", show=False),
        Binding("n,escape", "answer(False)", show=False),
    ]

    def __init__(self, question: str, effect: str = "") -> None:
        super().__init__()
        self.question, self.effect = question, effect

    def compose(self) -> ComposeResult:
        """The question, what will happen, and the keys."""
        with Vertical(classes="dialog"):
            yield Static(Text(safe(self.question), style="bold"))
            yield Static(Text(safe(self.effect)))
            yield Static(Text(_("y yes   n no")))

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)


class Ask(ModalScreen[str | None]):
    """One line of text: a command, a reason, an address. Tab completes from what is known."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("tab", "complete", show=False, priority=True),
    ]

    def __init__(
        self,
        label: str,
        known: Sequence[str] = (),
        value: str = "",
        complete: Callable[[str], Sequence[str]] | None = None,
    ) -> None:
        super().__init__()
        self.label, self.known, self.value = label, known, value
        self.complete = complete  # what a text goes on with, instead of what is known from the start

    def compose(self) -> ComposeResult:
        """What is known above, the line below."""
        with Vertical(classes="ask"):
            yield Static("", id="ask-known", markup=False)
            yield Line(id="ask-label")
            yield Field(self.value, id="ask-text")

    def on_mount(self) -> None:
        """Show what may be written."""
        self.query_one("#ask-label", Line).say(safe(self.label), "bold")
        self._show(self.value)
        self.query_one("#ask-text", Input).focus()

    def _fitting(self, text: str) -> list[str]:
        if self.complete is not None:
            return list(self.complete(text))
        word = text.strip().casefold()
        starting = [known for known in self.known if known.casefold().startswith(word)]
        return starting + [known for known in self.known if word in known.casefold() and known not in starting]

    def _show(self, text: str) -> None:
        self.query_one("#ask-known", Static).update(Text(" · ".join(safe(word) for word in self._fitting(text)[:12])))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        self._show(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip())

    def action_complete(self) -> None:
        """Take the first that fits."""
        field = self.query_one("#ask-text", Input)
        fitting = self._fitting(field.value)
        if fitting:
            field.value = fitting[0]
            field.cursor_position = len(field.value)

    def action_close(self) -> None:
        """Nothing is asked for."""
        self.dismiss(None)


async def ask_first(app: App[Any], question: Plural, rows: Sequence[Row], *, reason: bool) -> dict[str, Any] | None:
    """Ask with the count, and for a reason where one is kept: what the gateway is told of `rows`, None when nothing."""
    if not rows or not await app.push_screen_wait(Confirm(some(question, len(rows)))):
        return None
    body: dict[str, Any] = {"ids": [row["id"] for row in rows]}
    if reason:
        said = await app.push_screen_wait(Ask(_("Reason:")))
        if said is None:
            return None
        body["reason"] = said or None
    return body
