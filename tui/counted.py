"""Sentences with a number in them, for one and for many."""

from __future__ import annotations

from tui.words import NN_

RELEASE_DOCUMENTS = NN_("Release {count} document?", "Release {count} documents?")
CANCEL_DOCUMENTS = NN_(
    "Cancel {count} document? It will not be sent.", "Cancel {count} documents? They will not be sent."
)
GO_ON = NN_("{count} document goes on.", "{count} documents go on.")
CANCELLED = NN_("{count} document cancelled.", "{count} documents cancelled.")
SENT_AGAIN = NN_("{count} document is sent again.", "{count} documents are sent again.")
HELD_GO_ON = NN_("{count} held document goes on.", "{count} held documents go on.")
HELD_WOULD_GO_ON = NN_("{count} held document would go on.", "{count} held documents would go on.")
WOULD_GO_ELSEWHERE = NN_(
    "{count} document of the last 90 days would have gone elsewhere.",
    "{count} documents of the last 90 days would have gone elsewhere.",
)
ADDING_FREES = NN_(
    "a adds a row for customer {customer}, {kind}: {count} document will go.",
    "a adds a row for customer {customer}, {kind}: {count} documents will go.",
)
WAIT = NN_("{count} document waits; Enter shows it.", "{count} documents wait; Enter shows them.")
BYTES_SAVED = NN_("Saved {name}, {count} byte.", "Saved {name}, {count} bytes.")

DELETE_ROWS = NN_("Delete {count} recipient?", "Delete {count} recipients?")
DELETED = NN_("{count} recipient deleted.", "{count} recipients deleted.")
CHANGE_ROWS = NN_("Change {count} recipient?", "Change {count} recipients?")
CHANGED = NN_("{count} recipient changed.", "{count} recipients changed.")
IMPORT_ROWS = NN_("Import {count} row?", "Import {count} rows?")
IMPORTED = NN_("Imported {count} row.", "Imported {count} rows.")
TAKEN_BACK = NN_("{count} row is as it was before the list.", "{count} rows are as they were before the list.")
ERRORS = NN_("{count} error: nothing will be imported.", "{count} errors: nothing will be imported.")
WARNINGS = NN_("{count} warning.", "{count} warnings.")
CHAIN_HOLDS = NN_(
    "The chain holds: {count} row is as it was written.", "The chain holds: {count} rows are as they were written."
)

STEER_QUESTIONS = {
    "retry": NN_("Try {count} delivery now?", "Try {count} deliveries now?"),
    "hold": NN_("Hold {count} delivery?", "Hold {count} deliveries?"),
    "release": NN_("Release {count} delivery?", "Release {count} deliveries?"),
    "cancel": NN_("Cancel {count} delivery? It will not be sent.", "Cancel {count} deliveries? They will not be sent."),
}
STEERED = {
    "retry": NN_("{count} delivery is tried now.", "{count} deliveries are tried now."),
    "hold": NN_("{count} delivery is held.", "{count} deliveries are held."),
    "release": NN_("{count} delivery goes on.", "{count} deliveries go on."),
    "cancel": NN_("{count} delivery cancelled.", "{count} deliveries cancelled."),
}
