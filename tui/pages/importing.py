"""Import: a list is looked at first; what it would change is shown before anything is written."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

from textual import work
from textual.binding import Binding, BindingType

from tui.api import GatewayError, path_of
from tui.changed import emails, type_text
from tui.columns import Column, Row
from tui.counted import ERRORS, HELD_WOULD_GO_ON, IMPORT_ROWS, IMPORTED, WARNINGS, WOULD_GO_ELSEWHERE
from tui.dialogs import Ask, Confirm
from tui.lines import Line
from tui.page import Page
from tui.rows import PAGE
from tui.safe import safe
from tui.said import told
from tui.words import N_, _, count, some

KINDS = {"create": N_("create"), "update": N_("update"), "error": N_("error"), "warning": N_("warning")}


def files_like(text: str) -> list[str]:
    """The files and folders that a path goes on with: what Tab completes."""
    path = Path(text).expanduser()
    folder, start = (path, "") if text.endswith("/") else (path.parent, path.name)
    try:
        names = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in os.scandir(folder))
    except OSError:
        return []
    shown = text[: len(text) - len(start)]
    return [shown + name for name in names if name.startswith(start) and (start or not name.startswith("."))]


def was_and_becomes(row: Row) -> str:
    """A change in one line; a finding's sentence."""
    if "sentence" in row:
        return told(str(row["sentence"]))
    was, becomes = row["was"] or {}, row["becomes"] or {}
    return " · ".join(
        f"{emails(was.get(name)) or '–'} → {emails(value) or '–'}" if row["was"] else emails(value)
        for name, value in becomes.items()
        if name not in ("number", "type") and was.get(name) != value
    )


class Importing(Page):
    """One line per change or finding; nothing is written before Enter is confirmed."""

    NAME: ClassVar[str] = N_("Import")
    SEARCHES: ClassVar[bool] = False
    EMPTY: ClassVar[str] = N_("The list changes nothing.")
    LIVE: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", N_("Import all")),
        Binding("e", "errors", N_("Errors only")),
        Binding("s", "report", N_("Save with errors…")),
        Binding("c", "ignore", N_("Pass over unknown columns")),
    ]
    LINES: ClassVar[Mapping[str, str]] = {
        "": "recipients import {file} --company {company} --type {type} --dry-run",
        "open": "recipients import {file} --company {company} --type {type}",
        "errors": "recipients import {file} --company {company} --type {type} --dry-run",
        "report": "recipients import {file} --company {company} --type {type} --dry-run --report {report}",
        "ignore": "recipients import {file} --company {company} --type {type} --ignore-column {column}",
    }
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column(N_("Cell"), lambda row: row["cell"], 8),
        Column("", lambda row: _(KINDS.get(str(row.get("kind")), str(row.get("code", "")))), 12),
        Column(N_("Customer no."), lambda row: row.get("number", ""), 14, rank=1),
        Column(N_("What changes"), was_and_becomes, 30, grow=1),
    )

    def __init__(self, file: Path, type_: str) -> None:
        super().__init__()
        self.file, self.type = file, type_
        self.found: dict[str, Any] | None = None
        self.errors_only = False
        self.ignored: tuple[str, ...] = ()  # letters of columns

    async def fill(self, keep: bool) -> None:
        """Look at the file, once; then the changes, or what is wrong."""
        if self.found is None:
            self.awaited = False  # it may take long: keys, such as Esc, do not wait for it
            data = await asyncio.to_thread(self.file.read_bytes)
            query = {"type": self.type, "company": self.console.company, "name": self.file.name}
            query |= {"ignore": ",".join(self.ignored)} if self.ignored else {}
            self.found = await self.console.api.upload("/imports", data, query, self._progress)
            self.awaited = True  # the rows that the next key is meant for come now
            self.errors_only = bool(self.found["counts"]["errors"])
            self.say(self._summary(), bad=self.errors_only)
        counts = self.found["counts"]
        what = "findings" if self.errors_only else "changes"
        total = counts["errors"] + counts["warnings"] if self.errors_only else counts["create"] + counts["update"]
        path, api = path_of("imports", self.found["id"], what), self.console.api

        async def fetch(offset: int, limit: int) -> list[Row]:
            return cast("list[Row]", await api.get(path, offset=offset, limit=limit))

        self.matching = self.everything = total
        start = self.rows.page_start if keep else 0
        self.rows.show_pages(total, await fetch(start, PAGE), start, fetch, keep)

    def _progress(self, step: dict[str, Any]) -> None:
        if not self.is_mounted:
            return
        share = 100 * step.get("done", 0) // max(step.get("total", 0), 1)
        done = _("reading …") if step["state"] == "reading" else f"{'█' * (share // 5):░<20} {share} %"
        self.query_one("#count", Line).say(done + " ")

    def _summary(self) -> str:
        assert self.found is not None
        counts = self.found["counts"]
        if counts["errors"]:
            return some(ERRORS, counts["errors"])
        words = _("{rows} rows: create {create}, update {update}, unchanged {unchanged}.")
        said = words.format(**{name: count(number) for name, number in counts.items()})
        if counts["warnings"]:
            said += " " + some(WARNINGS, counts["warnings"])
        if self.found["would_release"]:
            said += " " + some(HELD_WOULD_GO_ON, self.found["would_release"])
        if self.found["would_go_elsewhere"]:
            said += " " + some(WOULD_GO_ELSEWHERE, self.found["would_go_elsewhere"])
        return said

    def label(self) -> str:
        """Which file this is."""
        return " " + _("Import {file} as {type}").format(file=safe(self.file.name), type=type_text(self.type))

    def explain(self, row: Row) -> str:
        """The whole change."""
        return f"{row['cell']}  {row.get('number', '')}  {was_and_becomes(row)}"

    def about(self) -> Row:
        """The file and its type, for the command lines."""
        return {"file": self.file, "type": self.type}

    def action_open(self) -> None:
        """Import everything."""
        self._import()

    def open_row(self, row: Row) -> None:
        """Import everything."""
        self._import()

    def action_errors(self) -> None:
        """What is wrong, or what changes."""
        self.errors_only = not self.errors_only
        self.load(False)

    @work(exit_on_error=False)
    async def action_ignore(self) -> None:
        """Look again without the columns that the gateway does not know: the one that people forget to delete (S8)."""
        if self.found is None:
            return
        try:
            findings = await self.console.api.get(path_of("imports", self.found["id"], "findings"))
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return
        letters = {row["cell"].rstrip("0123456789") for row in findings if row["code"] == "E-COLUMN"}
        if not letters:
            self.say(_("Every column is known."))
            return
        self.ignored = tuple(sorted({*self.ignored, *letters}))
        self.found = None
        self.load(False)

    @work(exit_on_error=False, exclusive=True, group="import")
    async def _import(self) -> None:
        if self.found is None:
            return
        if self.found["counts"]["errors"]:
            self.say(self._summary(), bad=True)
            return
        changes = self.found["counts"]["create"] + self.found["counts"]["update"]
        question = some(IMPORT_ROWS, changes)
        if not changes or not await self.app.push_screen_wait(Confirm(question, self._summary())):
            return
        try:
            done = await self.console.api.post(path_of("imports", self.found["id"], "apply"), {})
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return
        undo = path_of("batches", done["batch"], "undo")
        self.console.undoing.append((_("import of {file}").format(file=self.file.name), self._undo(undo)))
        words = some(IMPORTED, changes) + " " + _("u undoes it.")
        self.app.pop_screen()
        if self.console.page is not None:
            self.console.page.say(words)

    def _undo(self, path: str) -> Any:
        api = self.console.api
        return lambda: api.post(path, {})

    @work(exit_on_error=False)
    async def action_report(self) -> None:
        """Save the workbook with a column of what is wrong; the command line writes it."""
        if self.found is None or not self.found["counts"]["errors"] + self.found["counts"]["warnings"]:
            self.say(_("Nothing is wrong with the list."))
            return
        proposed = str(self.file.with_name(self.file.stem + "-errors.xlsx"))
        target = await self.app.push_screen_wait(Ask(_("Save into the file:"), value=proposed))
        if target:
            words = ["import", str(self.file), "--type", self.type, "--dry-run", "--report", target]
            words += [word for letter in self.ignored for word in ("--ignore-column", letter)]
            wrong = await self.console.run_command("recipients", *words, "--company", self.console.company)
            # A list with errors is no success of the command, though it writes the file.
            written = await asyncio.to_thread(lambda: Path(target).expanduser().is_file())
            self.say(_("Written: {file}").format(file=target) if written else wrong, bad=not written)
