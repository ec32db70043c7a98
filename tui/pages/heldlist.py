"""The documents of one cause."""

from __future__ import annotations

from typing import ClassVar

from tui.pages.documents import Documents
from tui.words import N_


class HeldList(Documents):
    """Like Documents, but only those that one cause holds."""

    NAME: ClassVar[str] = N_("Held")
    EMPTY: ClassVar[str] = N_("Nothing is held.")

    def __init__(self, cause: str) -> None:
        super().__init__()
        self.cause = cause

    def filters(self, search: str) -> dict[str, object]:
        """Only this cause."""
        return {**super().filters(search), "state": "held", "cause": self.cause}
