"""What a routing type declares about itself."""

from __future__ import annotations

import msgspec

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"


class DocumentType(msgspec.Struct, frozen=True, kw_only=True):
    """A routing type: the key of the directory, of formats and of templates. One file of this package each."""

    name: str
    labels: dict[str, str]  # language (ISO 639-1) -> what people call it; English is always there
    subtypes: dict[str, dict[str, str]] = {}  # subtype -> labels; a subtype is for texts, never for routing
    roots: dict[str, str | None] = {}  # XML root in Clark notation -> the subtype it implies
    codes: dict[str, str | None] = {}  # UNTDID 1001 -> subtype
    words: dict[str, str | None] = {}  # title on a page, in lower case -> subtype

    def label(self, language: str = "en", subtype: str | None = None) -> str:
        """What people call this type (or its subtype) in `language`; English where there is no word."""
        labels = self.subtypes.get(subtype or "") or self.labels
        return labels.get(language) or labels["en"]


def titles(subtype: str | None, *words: str) -> dict[str, str | None]:
    """`words` as entries of `DocumentType.words`."""
    return dict.fromkeys(words, subtype)


def coded(subtype: str | None, codes: str) -> dict[str, str | None]:
    """UNTDID 1001 `codes`, separated by blanks, as entries of `DocumentType.codes`."""
    return dict.fromkeys(codes.split(), subtype)
