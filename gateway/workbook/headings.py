"""The words that columns and sheets are called by, in English, French, German and Swedish."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

ERROR = "error"  # the column of an earlier report: passed over
VALID_FROM = "valid_from"

# What the template and the export write, in the order of the columns.
WRITTEN: Mapping[str, Mapping[str, str]] = {
    "en": {
        "number": "customer_number",
        "email": "email",
        "cc": "cc",
        "name": "name",
        "format": "format",
        "language": "language",
        "attach": "attach",
        "file_name": "file_name",
        "constants": "constants",
        ERROR: "Error",
    },
    "fr": {
        "number": "Numéro de client",
        "email": "E-mail",
        "cc": "CC",
        "name": "Nom",
        "format": "Format",
        "language": "Langue",
        "attach": "Pièces jointes",
        "file_name": "Nom du fichier",
        "constants": "Constantes",
        ERROR: "Erreur",
    },
    "de": {
        "number": "Kundennummer",
        "email": "E-Mail",
        "cc": "CC",
        "name": "Name",
        "format": "Format",
        "language": "Sprache",
        "attach": "Anhänge",
        "file_name": "Dateiname",
        "constants": "Konstanten",
        ERROR: "Fehler",
    },
    "sv": {
        "number": "Kundnummer",
        "email": "E-post",
        "cc": "CC",
        "name": "Namn",
        "format": "Format",
        "language": "Språk",
        "attach": "Bilagor",
        "file_name": "Filnamn",
        "constants": "Konstanter",
        ERROR: "Fel",
    },
}
SHEET_NAMES: Mapping[str, str] = {"en": "Recipients", "fr": "Destinataires", "de": "Empfänger", "sv": "Mottagare"}

_WORDS: Mapping[str, str] = {
    "number": (
        "customer number|customer no|customer nr|customer id|customer|account number|client number|number|"
        "numero de client|numero client|numero du client|n de client|n client|no de client|no client|code client|"
        "kundennummer|kunden nr|kundennr|kunden id|debitorennummer|debitornummer|debitor|debitoren nr|"
        "kundnummer|kund nr|kundnr|kund id"
    ),
    "email": (
        "email|e mail|mail|email address|e mail address|recipient email|recipient e mail|mail address|"
        "adresse e mail|adresse email|adresse mail|courriel|adresse electronique|"
        "e mail adresse|email adresse|mailadresse|mail adresse|"
        "e post|epost|e postadress|epostadress|e post adress|mejl|mejladress|mailadress"
    ),
    "cc": "cc|copy|copy to|email cc|cc email|copie|copie a|en copie|kopie|kopie an|kopia|kopia till",
    "name": (
        "name|customer name|company|company name|nom|nom du client|raison sociale|societe|"
        "kundenname|firma|firmenname|namn|kundnamn|foretag|foretagsnamn"
    ),
    "format": "format|file format|format de fichier|format du document|dateiformat|filformat",
    "language": "language|lang|langue|sprache|sprak",
    "attach": "attach|attachments|attachment|pieces jointes|piece jointe|anhange|anhang|bilagor|bilaga",
    "file_name": "file name|filename|nom du fichier|nom de fichier|dateiname|filnamn",
    "constants": "constants|constant|constantes|constante|konstanten|konstante|konstanter|konstant",
    VALID_FROM: (
        "valid from|valable a partir du|valable des|valable des le|gultig ab|gueltig ab|giltig fran|giltig fr o m"
    ),
    ERROR: "error|erreur|fehler|fel",
}
_FIELD_OF = {word: field for field, words in _WORDS.items() for word in words.split("|")}
_SEPARATORS = re.compile(r"[\s_.\-/*:°º'’]+")


def _plain(text: str) -> str:
    """Lower case, without accents, one blank for every separator: `* N° de Client:` is `n de client`."""
    # ° is not to become the letter o, nor º.
    parts = unicodedata.normalize("NFKD", text.replace("º", "°").casefold())
    bare = "".join(char for char in parts if not unicodedata.combining(char))
    return _SEPARATORS.sub(" ", bare.replace("ß", "ss")).strip()


def field_of(heading: str) -> str | None:
    """The field that a heading names, None when it is no heading we know; a leading # is passed over (S7)."""
    return _FIELD_OF.get(_plain(heading.lstrip("# ")))


def is_list_name(name: str) -> bool:
    """Whether a sheet's name says that it is the list, among several sheets."""
    return _plain(name) in {_plain(known) for known in SHEET_NAMES.values()}
