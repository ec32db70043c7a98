"""Recipients: the directory as the vendor has it, search at the top left, the form at the right."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui.api import Conflict, GatewayError, NotFound, path_of
from tui.changed import changes, emails, short_emails, type_text
from tui.columns import Column, Row
from tui.counted import CHANGE_ROWS, CHANGED, DELETE_ROWS, DELETED, HELD_GO_ON
from tui.dialogs import Ask, Confirm
from tui.form import Form
from tui.page import Page
from tui.pager import Pager
from tui.states import full_time
from tui.words import N_, _, language, some

FIELDS = ("number", "email", "cc", "type", "name", "language", "format", "attach", "file_name", "constants")


class Recipients(Page):
    """All rows of the company's directory."""

    NAME: ClassVar[str] = N_("Recipients")
    PATH: ClassVar[str] = "/recipients"
    EMPTY: ClassVar[str] = N_("No recipient yet; a adds the first one.")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", N_("Add")),
        Binding("enter,e", "edit", N_("Edit")),
        Binding("c", "duplicate", N_("Duplicate")),
        Binding("d", "delete", N_("Delete")),
        Binding("b", "bulk", N_("Change all marked")),
        Binding("i", "import_list", N_("Import")),
        Binding("x", "export", N_("Export")),
        Binding("T", "template", N_("Example file")),
        Binding("B", "batches", N_("Imported lists")),
        Binding("h", "history", N_("History")),
        Binding("u", "app.undo", N_("Undo")),
    ]
    NEEDS: ClassVar[Mapping[str, str]] = {
        "add": "directory",
        "duplicate": "directory",
        "delete": "directory",
        "bulk": "directory",
        "import_list": "directory",
    }
    WORDS: ClassVar[tuple[str, ...]] = ("type", "number")
    LINES: ClassVar[Mapping[str, str]] = {
        "": "recipients list --company {company} --search {search}",
        "add": "recipients add --company {company} --number {number} --email {email} --type {type}",
        "edit": "recipients set {number} --company {company} --type {type} --email {email}",
        "duplicate": "recipients add --company {company} --number {number} --email {email} --type {type}",
        "delete": "recipients delete {number} --company {company} --type {type}",
        "bulk": "recipients set {number} --company {company} --type {type} --language {language}",
        "import_list": "recipients import {file} --company {company} --type {type}",
        "export": "recipients export {file} --company {company} --type {type}",
        "template": "recipients template {file} --type {type}",
        "batches": "recipients batches --company {company}",
        "history": "recipients history {number} --company {company} --type {type}",
        "app.undo": "recipients revert {number} --company {company} --type {type}",
    }
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(N_("Customer no."), lambda row: row["number"], 13),
        Column(N_("Name"), lambda row: row["name"], 16, grow=2, rank=2),
        Column(N_("Type"), lambda row: type_text(row["type"]), 10, rank=1),
        Column(N_("E-mail"), lambda row: short_emails(row["email"]), 24, grow=3, cut_middle=True),
        Column("CC", lambda row: len(row["cc"]) or "–", 3, rank=3, right=True),
        Column(N_("Format"), lambda row: (row["format"] or "–").upper(), 6, rank=4),
    )

    def explain(self, row: Row) -> str:
        """Number, name, addresses."""
        copies = _(" · copy to {cc}").format(cc=emails(row["cc"])) if row["cc"] else ""
        name = f" {row['name']}" if row["name"] else ""
        return f"{row['number']}{name} · {type_text(row['type'])} · {emails(row['email'])}{copies}"

    def copied(self, row: Row) -> object:
        """The addresses."""
        return emails(row["email"])

    def open_row(self, row: Row) -> None:
        """Open the form."""
        self._form(row, row)

    def action_edit(self) -> None:
        """Open the form of the row under the cursor."""
        self.rows.action_open()

    def action_add(self) -> None:
        """Open an empty form."""
        self._form(None, {"number": self.search if self.search.isalnum() else "", "type": "invoice"})

    def action_duplicate(self) -> None:
        """Open the form with the values of the row, as a new one."""
        if self.rows.row is not None:
            self._form(None, self.rows.row)

    @work(exit_on_error=False)
    async def _form(self, row: Row | None, values: Row) -> None:
        try:
            choices = await self.console.api.get("/choices")
            advanced = await self.console.api.get("/settings/advanced", company=self.console.company)
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return
        self.make_room(True)
        saved = await self.app.push_screen_wait(Form(row, values, choices, bool(advanced["value"])))
        self.make_room(False)
        if saved is None:
            return
        if saved == "delete":
            self.action_delete()
            return
        self._saved(row, saved)

    def _saved(self, old: Row | None, new: Row) -> None:
        path = path_of("recipients", new["id"])
        api = self.console.api
        if old is None:
            what = _("add {number}").format(number=new["number"])
        else:
            what = _("change {number}").format(number=new["number"])
        self.console.undoing.append((what, lambda: api.post(f"{path}/undo", {"version": new["version"]})))
        released = new.get("released", 0)
        more = " " + some(HELD_GO_ON, released) if released else ""
        self.say(_("Saved {number}.").format(number=new["number"]) + more + " " + _("u undoes it."))
        self.load(True)

    @work(exit_on_error=False)
    async def action_delete(self) -> None:
        """Delete the marked rows, or the one under the cursor, after asking."""
        rows = self.chosen()
        if not rows:
            return
        names = ", ".join(str(row["number"]) for row in rows[:5]) + (" …" if len(rows) > 5 else "")
        question = some(DELETE_ROWS, len(rows))
        if not await self.app.push_screen_wait(Confirm(question, names)):
            return
        deleted = 0
        for row in rows:
            try:
                await self.console.api.delete(path_of("recipients", row["id"]), row["version"])
            except (Conflict, NotFound) as error:
                self.say(error.sentence, bad=True)
                continue
            except GatewayError as error:
                self.say(error.sentence, bad=True)
                break
            deleted += 1
            self._remember(row)
        self.rows.marks.clear()
        if deleted:
            self.say(some(DELETED, deleted) + " " + _("u undoes it."))
        self.load(True)

    @work(exit_on_error=False)
    async def action_bulk(self) -> None:
        """Give the marked rows one value: asked for as field=value, done after asking with the count."""
        rows = self.chosen()
        try:
            choices = await self.console.api.get("/choices")
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return
        known = [f"type={name}" for name in choices["types"]] + [
            f"format={each['name']}" for each in choices["formats"]
        ]
        known += ["language=", "email=", "cc=", "name=", "attach=alone", "attach=with-pdf", "attach=pdf"]
        text = await self.app.push_screen_wait(Ask(_("Give the marked rows (field=value):"), known)) if rows else None
        name, equals, value = (text or "").partition("=")
        if not text:
            return
        if name not in FIELDS or name == "number" or not equals:
            self.say(
                _("{word} is no field; there are {names}.").format(word=name, names=", ".join(FIELDS[1:])), bad=True
            )
            return
        shown = ", ".join(str(row["number"]) for row in rows[:8]) + (" …" if len(rows) > 8 else "")
        if await self.app.push_screen_wait(Confirm(some(CHANGE_ROWS, len(rows)), f"{text}\n{shown}")):
            await self._change_all(rows, name, value or None)

    async def _change_all(self, rows: list[Row], name: str, value: object) -> None:
        """Row by row, so that one that somebody changed meanwhile stops no other; the undo takes all back."""
        api, changed, refused = self.console.api, list[Row](), ""
        for row in rows:
            try:
                changed.append(await api.patch(path_of("recipients", row["id"]), {name: value}, row["version"]))
            except GatewayError as error:
                refused = f" {row['number']}: {error.sentence}"

        async def undo() -> None:
            for new in changed:
                await api.post(path_of("recipients", new["id"], "undo"), {"version": new["version"]})

        if changed:
            self.console.undoing.append((f"{name}={value or ''} × {len(changed)}", undo))
        self.rows.marks.clear()
        self.say(
            some(CHANGED, len(changed)) + " " + (_("u undoes it.") if changed else "") + refused, bad=bool(refused)
        )
        self.load(True)

    def _remember(self, row: Row) -> None:
        path = path_of("recipients", row["id"], "undo")
        what = _("delete {number}").format(number=row["number"])
        self.console.undoing.append((what, lambda: self.console.api.post(path, {})))

    @work(exit_on_error=False)
    async def action_import_list(self) -> None:
        """Ask for the file and its type, then show what it would change."""
        from tui.pages.importing import Importing, files_like

        if not await self._may_import():
            return
        file = await self.app.push_screen_wait(Ask(_("Import the file (.xlsx, .csv):"), complete=files_like))
        path = await asyncio.to_thread(lambda: Path(file or "").expanduser())
        if not file or not await asyncio.to_thread(path.is_file):
            self.say(_("{file} is no file.").format(file=file) if file else "", bad=True)
            return
        type_ = await self._ask_type(_("As which document type?"))
        if type_:
            self.app.push_screen(Importing(path, type_))

    async def _may_import(self) -> bool:
        """Whether the company may import lists (R30); says why not before anything is asked."""
        try:
            advanced = await self.console.api.get("/settings/advanced", company=self.console.company)
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return False
        if not advanced["value"]:
            self.say(_("Only an advanced company imports lists: setting “advanced” is off."), bad=True)
        return bool(advanced["value"])

    @work(exit_on_error=False)
    async def action_template(self) -> None:
        """Write a list to follow; the command line does it."""
        type_ = await self._ask_type(_("Example file for which document type?"))
        target = type_ and await self.app.push_screen_wait(Ask(_("Save into the file:"), value="exampleFile.xlsx"))
        if type_ and target:
            words = ("template", target, "--type", type_, "--language", language())
            await self.console.write_file(self, target, "recipients", *words)

    def action_batches(self) -> None:
        """The lists that were imported, which can be taken back."""
        from tui.pages.batches import Batches

        self.app.push_screen(Batches())

    async def _ask_type(self, question: str) -> str | None:
        try:
            types = (await self.console.api.get("/choices"))["types"]
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return None
        return await self.app.push_screen_wait(Ask(question, types, "invoice"))

    @work(exit_on_error=False)
    async def action_export(self) -> None:
        """Write the rows of one type into a workbook that can be imported again; the command line does it."""
        type_ = await self._ask_type(_("Export which document type?"))
        target = type_ and await self.app.push_screen_wait(Ask(_("Save into the file:"), value=f"{type_}.xlsx"))
        if type_ and target:
            words = ("export", target, "--type", type_, "--company", self.console.company)
            await self.console.write_file(self, target, "recipients", *words, "--language", language())

    @work(exit_on_error=False)
    async def action_history(self) -> None:
        """Who changed the row, when, and what."""
        row = self.rows.row
        if row is None:
            return
        try:
            entries = await self.console.api.get(path_of("recipients", row["id"], "history"))
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return
        lines: list[str] = []
        for entry in entries:
            reason = f"  ({entry['reason']})" if entry["reason"] else ""
            lines.append(f"{full_time(entry['at'])}  {entry['user']}  {entry['action']}{reason}")
            lines += [f"    {line}" for line in changes(entry.get("before"), entry.get("after"))]
        self.app.push_screen(Pager(_("History") + f" · {row['number']}", lines or [_("Nothing is noted.")]))
