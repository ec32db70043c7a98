"""The pages in the order of their number keys; a page is added by its file and its line here."""

from __future__ import annotations

from tui.page import Page
from tui.pages.audit import Audit
from tui.pages.documents import Documents
from tui.pages.held import Held
from tui.pages.home import Home
from tui.pages.queue import Queue
from tui.pages.recipients import Recipients
from tui.pages.settings import Settings
from tui.pages.sources import Sources

PAGES: tuple[type[Page], ...] = (Home, Recipients, Documents, Queue, Held, Sources, Settings, Audit)

PALETTE: dict[str, int] = {  # what people write after `:`, ours and the vendor's words (R2, R40): the page's number
    "home": 1,
    "accueil": 1,
    "recipients": 2,
    "destinataires": 2,
    "ajouter un destinataire": 2,
    "liste des destinataires": 2,
    "add recipient": 2,
    "documents": 3,
    "queue": 4,
    "file d'attente": 4,
    "held": 5,
    "retenus": 5,
    "errors": 5,
    "erreurs": 5,
    "sources": 6,
    "settings": 7,
    "réglages": 7,
    "distribution": 7,
    "paramètres généraux": 7,
    "general settings": 7,
    "activer la distribution par e-mail": 7,
    "envoi": 7,
    "sending": 7,
    "configuration spécifique par document": 7,
    "document-specific configuration": 7,
    "audit": 8,
    "journal": 8,
}
