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
