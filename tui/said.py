"""Sentences of the gateway with something in them, for the screens' language: as they stand in it, with places.

The gateway speaks English to every door. What it says most often is translated here; the rest is shown as it comes.
"""

from __future__ import annotations

import functools
import re

from tui import words
from tui.changed import TYPES, field_text, type_text
from tui.saidasked import ASKED
from tui.saidfiles import FILES
from tui.saidnotes import NOTES
from tui.words import N_, _

SAID = (
    # Addresses.
    N_("{what} is not an e-mail address: {why}"),
    N_("it is empty"),
    N_("nothing stands before the @"),
    N_("nothing stands after the @"),
    N_("the @ is missing"),
    N_("text follows the quoted part"),
    N_("the part before the @ has letters beyond ASCII"),
    N_("it contains a control or invisible character"),
    N_("the part before the @ is not written as RFC 5321 says"),
    N_("its domain is an address literal"),
    N_("its domain is too long"),
    N_("its domain is a number"),
    N_("its domain is not a valid international name"),
    N_("its domain is not a domain name"),
    N_("its domain has no dot"),
    # The directory.
    N_("The customer number is missing."),
    N_("The e-mail address is missing."),
    N_("Customer number {number} has a recipient for type {type} already: {emails}."),
    N_("Recipient {number} was changed meanwhile: it is at version {version}, not {seen}."),
    N_("Recipient {number} was changed meanwhile: nothing is undone."),
    N_("A list made the last change: take back its batch, which takes back all of it."),
    N_("There is no such recipient."),
    N_("The language is a code of two letters such as fr, not {what}."),
    N_("The {field} may not contain line ends, control or invisible characters."),
    N_("The {field} may have {most} characters, this has {number}."),
    # Lists.
    N_("Lists can only be imported when the company is advanced: set `advanced` true first."),
    N_("Nothing was written: {rows} changed since {since} ({numbers}); {advice}."),
    N_("one row"),
    N_("{count} rows"),
    N_("the preview"),
    N_("the import"),
    N_("look at a new one"),
    N_("the others can be taken back alone (keep changed)"),
    N_("The batch was taken back already, by {user}."),
    N_("Rows that begin with # must be removed."),
    N_("No column is called {name}."),
    N_("There are two columns for {field}: delete one."),
    N_("Column {name} is none of the list's and has data in {cells}: delete column {again}."),
    N_("Row {row} says the same of {number}; one is taken."),
    N_("Row {row} speaks of {number} with other values: keep one."),
    N_("The cell shows {text} but links to {address}; what it shows is taken."),
    N_("The directory has {number} already, which differs from {other} only in its zeros."),
    # Documents and the queue.
    N_("the document is {state}, only a held one can be released"),
    N_("the document is {state} already, nothing is left to cancel"),
    N_("the document is {state}; only one that has ended can be sent again"),
    N_("the delivery is {state}, it cannot be {verb}"),
    N_("the next hop {hop} is not paused"),
    N_("No message was composed of this document yet."),
    N_("There is no state {state}; there are {states}."),
    N_("{field} is a time such as 2026-01-31 or 2026-01-31T12:00:00Z, not {what}."),
    # Why documents are held.
    N_("Customer number {number} has no recipient for documents of type {type} in the directory."),
    N_("Customer number {number} fits several recipients: {which}."),
    N_("No customer number was found in the document."),
    N_("The mail has no attachment that is a document."),
    N_("A mail without a sender (a bounce or an automatic reply) never makes documents."),
    N_("E-mail distribution is switched off; it would go to {where}."),
    N_("The address {what} in the document is no e-mail address."),
    N_("The document names {count} addresses; resolve.max_recipients allows {limit}."),
    # Why a document cannot be read.
    N_("The file is empty."),
    N_("The file is encrypted (CMS) for somebody else."),
    N_("The file is a signature alone (CMS); what it signs came elsewhere."),
    N_("The file is {what}."),
    N_("neither XML nor PDF"),
    N_("The mail is empty."),
    N_("The mail is encrypted, and we have no key for it."),
    N_("The archive opens with a password only."),
    N_("The archive holds no document."),
    N_("The PDF opens with a password only."),
    N_("The PDF is damaged and cannot be opened."),
    N_("The PDF is damaged: {why}."),
    N_("The PDF has no page."),
    N_("The PDF has no end: it was cut off on its way."),
    N_("The PDF has {pages} pages; {most} are the most that we read."),
    N_("The XML is broken: {why}."),
    N_("The XML has a DOCTYPE, which can hide or fetch content; it must come without one."),
    N_("XML with the root {name} is no type that we read."),
    N_("The envelope (StandardBusinessDocument) holds no document."),
    N_("The SOAP envelope holds no document."),
    N_("There is no usable signing key, and mail never leaves unsigned; 'gateway check' says why."),
    N_("Page {page} of the PDF cannot be found."),
    # The gateway itself.
    N_("The gateway is not running (nobody answers at {path}); `gateway serve` starts it."),
    N_("You may not use {path}: only its owner, its group and root may."),
    N_("This needs the role {role}; {user} has only {roles}."),
)

ALL = (*SAID, *FILES, *ASKED, *NOTES)  # the first that fits: what has many places stands last

LONGEST = 600  # characters of a sentence; a longer one of somebody's making would be searched for seconds

_PLACE = re.compile(r"\{(\w+)\}")


@functools.lru_cache(maxsize=4)
def _patterns(language: str, known: tuple[str, ...]) -> list[tuple[re.Pattern[str], str]]:
    del language  # only what the cache goes by
    found = []
    for said in known:
        pieces = _PLACE.split(said)
        parts = (
            f"(?P<{piece}>{_what(piece)})" if place % 2 else re.escape(piece) for place, piece in enumerate(pieces)
        )
        pattern = "".join(parts)
        found.append((re.compile(pattern, re.DOTALL), _(said)))
    return found


def _what(place: str) -> str:
    """What can stand in a place: a key is one word."""
    return r"\S+?" if place == "key" else ".+?"


def told(sentence: str) -> str:
    """A sentence of the gateway in the language of the screens, where it is one that we know."""
    return translated(sentence, ALL)


def translated(sentence: str, known: tuple[str, ...]) -> str:
    """A sentence in the language of the screens, where it is one of `known`; what it holds is translated too."""
    language = words.language()
    if language == "en" or len(sentence) > LONGEST:
        return sentence
    if _(sentence) != sentence:
        return _(sentence)
    for pattern, shown in _patterns(language, known):
        match = pattern.fullmatch(sentence)
        if match is not None:
            return shown.format(**{name: _value(name, value, known) for name, value in match.groupdict().items()})
    return sentence


def _value(name: str, value: str, known: tuple[str, ...]) -> str:
    """What stands in a place of a sentence: a type or a field where it is called so, else perhaps a sentence too."""
    if name in ("kind", "type") and value in TYPES:
        return type_text(value).lower()
    return field_text(value) if name == "field" else translated(value, known)
