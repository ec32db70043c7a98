"""The form of a recipient: a panel at the right of a wide screen, else the whole screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from gateway import address
from tui.api import Conflict, GatewayError, Refused, path_of
from tui.changed import type_text
from tui.columns import Row
from tui.dialogs import Confirm
from tui.field import Field
from tui.helptext import form_help_lines
from tui.lines import Line
from tui.page import WIDE
from tui.pager import Pager
from tui.safe import safe
from tui.said import told
from tui.words import N_, _, colon

if TYPE_CHECKING:
    from tui.app import Console

LABELS = {
    "number": N_("Customer number"),
    "email": N_("E-mail"),
    "cc": N_("CC"),
    "type": N_("Document type"),
    "name": N_("Name"),
    "language": N_("Language"),
    "format": N_("Format"),
    "attach": N_("Attached"),
    "file_name": N_("File name"),
    "constants": N_("Constants"),
}
_ADVANCED = ("format", "attach", "file_name", "constants")
_ATTACH = {
    "": N_("with the files beside it"),
    "alone": N_("the document alone"),
    "with-pdf": N_("with a PDF of it"),
    "pdf": N_("the PDF instead"),
}
_REQUIRED = ("number", "email", "type")


class Choice(Widget, can_focus=True):
    """One of a few values; the arrow keys and Space change it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", show=False),
        Binding("right,l,space", "step(1)", show=False),
    ]
    DEFAULT_CSS = "Choice { height: 1; width: 1fr; } Choice:focus { text-style: reverse; }"

    def __init__(self, options: Sequence[tuple[str, str]], value: str, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self.options = list(options)
        if value not in [option for option, _label in self.options]:
            self.options.append((value, value))
        self.value = value

    def render(self) -> Text:
        """The label of the value between arrows."""
        label = next(label for option, label in self.options if option == self.value)
        return Text(f"‹ {safe(label)} ›", no_wrap=True)

    def action_step(self, step: int) -> None:
        """Take the next or the previous value."""
        values = [option for option, _label in self.options]
        self.value = values[(values.index(self.value) + step) % len(values)]
        self.refresh()


class Form(ModalScreen[Any]):
    """Gives the saved row, "delete" when its deletion is asked for, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", N_("Save"), priority=True),
        Binding("escape", "close", N_("Cancel"), priority=True),
        Binding("ctrl+t", "tab", N_("Advanced"), priority=True),
        Binding("ctrl+d", "delete", N_("Delete"), priority=True),
        # At once, before the next key finds its field: a thin line brings several keys in one piece.
        Binding("down,tab", "app.focus_next", show=False, priority=True),
        Binding("up,shift+tab", "app.focus_previous", show=False, priority=True),
    ]

    def __init__(self, row: Row | None, values: Row, choices: dict[str, Any], advanced: bool) -> None:
        super().__init__()
        self.row, self.choices, self.advanced = row, choices, advanced
        # As the fields show it: a value that only looks different is not a change.
        self.begin = {name: safe(_as_text(values.get(name))) for name in LABELS}
        self.version = row["version"] if row else None

    def compose(self) -> ComposeResult:
        """Title, two tabs of fields, keys."""
        with Vertical(classes="form"):
            yield Line(id="form-title")
            yield Line(id="form-tabs")
            with VerticalScroll(classes="form-body", id="tab-general", can_focus=False):
                for name in ("number", "email", "cc", "type", "name", "language"):
                    yield from self._field(name)
                yield Static(Text.assemble(("*", "bold red"), " " + _("mandatory")), classes="form-fault")
            with VerticalScroll(classes="form-body", id="tab-advanced", can_focus=False):
                if self.advanced:
                    for name in _ADVANCED:
                        yield from self._field(name)
                    yield Static(Text(_("Constants: what the documents lack, such as BT-10=…; BT-49=0204:…"), "dim"))
                else:
                    yield Static(Text(f"{colon(_('Format'))} PDF"))
                    yield Static(Text(_("Only an advanced company chooses formats: setting “advanced” is off.")))
            yield Static("", id="form-fault", classes="form-fault", markup=False)
            yield Line(id="form-keys")
            yield Line(id="form-more")

    def _field(self, name: str) -> ComposeResult:
        label = Text(_(LABELS[name]))
        if name in _REQUIRED:
            label.append(" *", style="bold red")
        with Horizontal(classes="form-row"):
            yield Static(label, classes="form-label")
            if name == "type":
                options = [(each, type_text(each)) for each in self.choices["types"]]
                yield Choice(options, self.begin[name], id="field-type")
            elif name == "format":
                formats = [(each["name"], _(each["label"])) for each in self.choices["formats"]]
                yield Choice([("", _("as the type says")), *formats], self.begin[name], id="field-format")
            elif name == "attach":
                ways = [(way, _(label)) for way, label in _ATTACH.items()]
                yield Choice(ways, self.begin[name], id="field-attach")
            else:
                yield Static("[", classes="form-edge")
                yield Field(self.begin[name], id=f"field-{name}")
                yield Static("]", classes="form-edge")
        yield Static("", id=f"fault-{name}", classes="form-fault", markup=False)

    def on_mount(self) -> None:
        """The words around the fields."""
        self.query_one("#form-title", Line).say(f"{self._title()}   {safe(self.begin['number'])}", "bold")
        self.query_one("#form-keys", Line).say(f"Ctrl+S {_('Save')}  {_('Esc')} {_('Cancel')}", "bold")
        more = Text(f"Ctrl+T {_('Advanced')}  ", style="bold")
        if self.row:
            more.append(f"Ctrl+D {_('Delete')}", style="bold red")
        more.append(f"  F1 {_('Help')}")
        self.query_one("#form-more", Line).say(more)
        for fault in self.query(".form-fault"):
            fault.display = not (fault.id or "").startswith("fault-") and fault.id != "form-fault"
        self._show_tab(False)

    def _title(self) -> str:
        return _("Edit recipient") if self.row else _("Add recipient")

    def on_resize(self, event: Resize) -> None:
        """A panel where there is room."""
        self.query_one(".form").set_class(event.size.width >= WIDE, "wide")

    def _show_tab(self, advanced: bool) -> None:
        self.query_one("#tab-general").display = not advanced
        self.query_one("#tab-advanced").display = advanced
        tabs = Text()
        for label, chosen in ((_("General"), not advanced), (_("Advanced"), advanced)):
            tabs.append(f"▸{label}◂  " if chosen else f" {label}   ", style="bold" if chosen else "dim")
        self.query_one("#form-tabs", Line).say(tabs)
        fields = [*self.query("#tab-advanced Choice")] if advanced else [self.query_one("#field-number")]
        if fields:
            self.set_focus(fields[0])  # at once: what is typed next goes there

    def action_tab(self) -> None:
        """The other tab."""
        self._show_tab(not self.query_one("#tab-advanced").display)

    # --- values -------------------------------------------------------------------------------------------

    def values(self) -> dict[str, str]:
        """What stands in the fields."""
        found: dict[str, str] = {}
        for name in LABELS:
            for field in self.query(f"#field-{name}"):
                found[name] = field.value.strip() if isinstance(field, Input) else cast(Choice, field).value
        return found

    def _changed(self) -> dict[str, object]:
        return {
            name: value if value or name in ("number", "email", "type") else None
            for name, value in self.values().items()
            if self.row is None or value != self.begin[name]
        }

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        """Say what is wrong with a field while it is written; the gateway looks at all of it again."""
        name = (event.input.id or "").removeprefix("field-")
        for fault in self.query(f"#fault-{name}").results(Static):
            sentence = wrong_with(name, event.value)
            fault.update(Text(safe(sentence), style="red"))
            fault.display = bool(sentence)

    def _fault(self, field: str | None, sentence: str) -> None:
        for fault in self.query(".form-fault"):
            name = (fault.id or "").removeprefix("fault-")
            if fault.id and isinstance(fault, Static):
                here = fault.id == "form-fault" if field not in LABELS else name == field
                fault.update(Text(safe(sentence) if here else "", style="bold red"))
                fault.display = here
        if field in LABELS:
            self._show_tab(field in _ADVANCED)
            for widget in self.query(f"#field-{field}"):
                widget.focus()

    # --- keys ---------------------------------------------------------------------------------------------

    @work(exclusive=True, exit_on_error=False)
    async def action_save(self) -> None:
        """Hand the values to the gateway; what it refuses is said at the field."""
        for name in _REQUIRED:
            if not self.values()[name]:
                self._fault(name, _("This field is mandatory."))
                return
        try:
            saved = await self._store()
        except Conflict as error:
            await self._conflict(error)
        except GatewayError as error:
            self._fault(getattr(error, "field", None), told(error.sentence))
        else:
            self.dismiss(saved)

    async def _store(self) -> Row:
        console = cast("Console", self.app)
        changed = self._changed()
        if self.row is None:
            given = {name: value for name, value in changed.items() if value}
            return cast(Row, await console.api.post("/recipients", {"company": console.company, **given}))
        return cast(Row, await console.api.patch(path_of("recipients", self.row["id"]), changed, self.version))

    async def _conflict(self, error: Conflict) -> None:
        from tui.conflict import Conflicted

        theirs = {name: _as_text(error.current.get(name)) for name in LABELS}
        if self.row is None or error.current.get("id") != self.row["id"]:
            self._fault(None, told(error.sentence))
            return
        if await self.app.push_screen_wait(Conflicted(told(error.sentence), self.begin, self.values(), theirs)):
            self.version = error.current.get("version")
            self.action_save()

    @work(exit_on_error=False)
    async def action_close(self) -> None:
        """Leave; what was written is not lost without asking."""
        values = self.values()
        if any(value != self.begin[name] for name, value in values.items()):
            question = _("Leave without saving?")
            if not await self.app.push_screen_wait(Confirm(question, _("What you wrote is lost then."))):
                return
        self.dismiss(None)

    def action_help(self) -> None:
        """The keys of the form; ? is a letter in its fields."""
        self.app.push_screen(Pager(_("Help") + " · " + self._title(), form_help_lines(type(self))))

    def action_delete(self) -> None:
        """Ask the list to delete the row."""
        if self.row is not None:
            self.dismiss("delete")


def wrong_with(name: str, value: str) -> str:
    """What is wrong with what a field says so far, "" when nothing is; an empty field is only unfinished."""
    try:
        if name in ("email", "cc"):
            for item in address.split_list(value):
                address.parse(item)
        if name == "language" and value.strip() and not (len(value.strip()) == 2 and value.strip().isalpha()):
            return _("The language is two letters, such as fr.")
    except Refused as error:
        return told(error.sentence)
    return ""


def _as_text(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "; ".join(map(str, value))
    return str(value or "")
