"""Catalogues and price lists."""

from __future__ import annotations

from gateway.doctypes.kind import UBL, DocumentType, titles

CATALOGUE = DocumentType(
    name="catalogue",
    labels={"en": "Catalogue", "fr": "Catalogue", "de": "Katalog", "sv": "Katalog"},
    roots={f"{{{UBL}Catalogue-2}}Catalogue": None},
    words=titles(None, "price list", "catalogue de prix", "preisliste", "prislista"),
)
