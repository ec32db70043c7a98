"""What people write after `:` to get somewhere: our names of the pages, the vendor's words and the old site's paths.

R2 and R40 of the vendor's help: who knows where things stood there finds them here by the same words.
"""

from __future__ import annotations

import re
import unicodedata

_ENGLISH: dict[str, tuple[int, str]] = {  # the words: the page's number, and what is done there at once
    "home": (1, ""),
    "recipients": (2, ""),
    "add recipient": (2, "add"),
    "import recipient list": (2, "import_list"),
    "download example file": (2, "template"),
    "documents": (3, ""),
    "queue": (4, ""),
    "held": (5, ""),
    "errors": (5, ""),
    "sources": (6, ""),
    "settings": (7, ""),
    "distribution": (7, ""),
    "general settings": (7, "show_tab(0)"),
    "activate e-mail distribution": (7, "show_tab(0)"),
    "send to e-mail address in document": (7, "show_tab(0)"),
    "sending": (7, "show_tab(1)"),
    "sender e-mail prefix": (7, "show_tab(1)"),
    "reply-to address": (7, "show_tab(1)"),
    "document-specific configuration": (7, "show_tab(2)"),
    "templates": (7, "show_tab(3)"),
    "audit": (8, ""),
}
_FRENCH: dict[str, tuple[int, str]] = {  # the last three are the old site's paths
    "accueil": (1, ""),
    "destinataires": (2, ""),
    "liste des destinataires": (2, ""),
    "liste de courriers électroniques": (2, ""),
    "ajouter un destinataire": (2, "add"),
    "ajouter une adresse e-mail": (2, "add"),
    "importer une liste de destinataires": (2, "import_list"),
    "importer des adresses e-mail": (2, "import_list"),
    "télécharger le fichier d'exemple": (2, "template"),
    "documents": (3, ""),
    "file d'attente": (4, ""),
    "retenus": (5, ""),
    "erreurs": (5, ""),
    "sources": (6, ""),
    "réglages": (7, ""),
    "paramètres": (7, ""),
    "distribution": (7, ""),
    "paramètres généraux": (7, "show_tab(0)"),
    "activer la distribution par e-mail": (7, "show_tab(0)"),
    "envoyer à l'adresse e-mail dans le document": (7, "show_tab(0)"),
    "envoi": (7, "show_tab(1)"),
    "préfixe de l'e-mail de l'expéditeur": (7, "show_tab(1)"),
    "adresse de réponse": (7, "show_tab(1)"),
    "configuration spécifique par document": (7, "show_tab(2)"),
    "gérer la configuration spécifique par document": (7, "show_tab(2)"),
    "modèles": (7, "show_tab(3)"),
    "audit": (8, ""),
    "journal": (8, ""),
    "répertoire client - distribution par e-mail": (2, ""),
    "répertoire clients - distribution des e-mails - importer des adresses e-mail": (2, "import_list"),
    "paramètres - paramètres - paramètres de la société - distribution par e-mail": (7, "show_tab(0)"),
}


def names(language: str) -> list[str]:
    """What is proposed to who speaks a language; what is understood is more: both."""
    return sorted(_FRENCH if language == "fr" else _ENGLISH)


def fold(text: str) -> str:
    """A text without case, accents and what separates the steps of a path: `Réglages` and `reglages` are one."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return re.sub(r"[\s>/›–—-]+", " ", plain.casefold().replace("’", "'")).strip()


_FOLDED = {fold(name): place for name, place in {**_ENGLISH, **_FRENCH}.items()}


def find(text: str) -> tuple[tuple[int, str], str] | None:
    """The place that a text names, and the words after it, which are to be searched there; None when it names none."""
    wanted = fold(text)
    if wanted in _FOLDED:
        return _FOLDED[wanted], ""
    first, _space, rest = text.partition(" ")
    if rest and fold(first) in _FOLDED:
        return _FOLDED[fold(first)], rest.strip()
    near = [place for name, place in _FOLDED.items() if wanted in name] if wanted else []
    return (near[0], "") if near else None
