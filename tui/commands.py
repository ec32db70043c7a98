"""What can be written after `:` beside the names of pages: commands with their words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tui.api import GatewayError
from tui.counted import CANCEL_DOCUMENTS, CANCELLED, GO_ON, RELEASE_DOCUMENTS
from tui.dialogs import Ask, Confirm
from tui.page import Page
from tui.words import N_, Plural, _, some

if TYPE_CHECKING:
    from tui.app import Console

COMMANDS = {  # the word: what it does, for the help
    "quit": N_("Quit"),
    "help": N_("Help"),
    "undo": N_("Undo"),
    "company": N_("show another company: company NAME"),
    "release": N_("release held documents: release cause=no-recipient source=NAME"),
    "cancel": N_("cancel held documents: cancel cause=no-recipient:1001"),
}

_FILTERS = ("cause", "source", "number", "customer_number", "since")
_VERBS: dict[str, tuple[Plural, Plural]] = {
    "release": (RELEASE_DOCUMENTS, GO_ON),
    "cancel": (CANCEL_DOCUMENTS, CANCELLED),
}


async def obey(console: Console, page: Page, word: str, rest: str) -> None:
    """Do a command; what is wrong with it is said on the page."""
    try:
        if word == "company":
            await _company(console, page, rest)
        elif word in _VERBS:
            await _held(console, page, word, rest)
        else:
            at_once: dict[str, Callable[[], object]] = {
                "quit": console.exit,
                "help": console.action_help,
                "undo": console.action_undo,
            }
            at_once[word]()
    except GatewayError as error:
        page.say(error.sentence, bad=True)


async def _company(console: Console, page: Page, name: str) -> None:
    names = [each["name"] for each in await console.api.get("/companies")]
    if not name:
        said: str | None = await console.push_screen_wait(Ask(_("Company:"), names))
        name = said or ""
    if not name:
        return
    if name not in names:
        page.say(
            _("There is no company {name}; there are {names}.").format(name=name, names=", ".join(names)), bad=True
        )
        return
    console.company = name
    page.show_bar()
    console.look()


async def _held(console: Console, page: Page, verb: str, rest: str) -> None:
    """Release or cancel the held documents that match, after asking with their number."""
    query: dict[str, Any] = {}
    for word in rest.split():
        name, _equals, value = word.partition("=")
        if name not in _FILTERS or not value:
            page.say(_("{word} narrows nothing; {names} do.").format(word=word, names=", ".join(_FILTERS)), bad=True)
            return
        query[name] = value
    rows = await console.api.get("/documents", company=console.company, state="held", **query)
    question, done = _VERBS[verb]
    if not rows:
        page.say(_("Nothing is held."))
    elif await console.push_screen_wait(Confirm(some(question, len(rows)), rest)):
        body: dict[str, Any] = {"ids": [row["id"] for row in rows]}
        if verb == "cancel":
            reason: str | None = await console.push_screen_wait(Ask(_("Reason:")))
            if reason is None:
                return
            body["reason"] = reason or None
        page.act(f"/documents/{verb}", body, done)
