"""The built-in texts of mails, as templates (`templates`), per language; a company's own settings go before them.

They hold for every document type: `type` is the word for it in that language. What a document does not say leaves
no gap in the sentence.
"""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("en", "fr", "de", "sv")

DEFAULT_SUBJECT: Mapping[str, str] = {
    "en": "{{ type }} {{ number }}{% if seller %} from {{ seller }}{% endif %}",
    "fr": "{{ type }} {{ number }}{% if seller %} de {{ seller }}{% endif %}",
    "de": "{{ type }} {{ number }}{% if seller %} von {{ seller }}{% endif %}",
    "sv": "{{ type }} {{ number }}{% if seller %} från {{ seller }}{% endif %}",
}

_SIGNATURE = "{{ sender_name | default(seller) }}\n"

DEFAULT_BODY: Mapping[str, str] = {
    "en": (
        "Hello,\n\n"
        "please find attached: {{ type }}{% if number %} {{ number }}{% endif %}"
        "{% if issue_date %} of {{ issue_date }}{% endif %}{% if seller %} from {{ seller }}{% endif %}."
        "{% if payable %} The amount is {{ payable }}{% if currency %} {{ currency }}{% endif %}"
        "{% if due_date %}, due on {{ due_date }}{% endif %}.{% endif %}\n\n"
        "Kind regards\n" + _SIGNATURE
    ),
    "fr": (
        "Bonjour,\n\n"
        "veuillez trouver ci-joint : {{ type }}{% if number %} {{ number }}{% endif %}"
        "{% if issue_date %} du {{ issue_date }}{% endif %}{% if seller %}, de la part de {{ seller }}{% endif %}."
        "{% if payable %} Le montant est de {{ payable }}{% if currency %} {{ currency }}{% endif %}"
        "{% if due_date %}, à régler au plus tard le {{ due_date }}{% endif %}.{% endif %}\n\n"
        "Cordialement\n" + _SIGNATURE
    ),
    "de": (
        "Guten Tag,\n\n"
        "anbei erhalten Sie: {{ type }}{% if number %} {{ number }}{% endif %}"
        "{% if issue_date %} vom {{ issue_date }}{% endif %}{% if seller %} von {{ seller }}{% endif %}."
        "{% if payable %} Der Betrag ist {{ payable }}{% if currency %} {{ currency }}{% endif %}"
        "{% if due_date %}, fällig am {{ due_date }}{% endif %}.{% endif %}\n\n"
        "Mit freundlichen Grüßen\n" + _SIGNATURE
    ),
    "sv": (
        "Hej,\n\n"
        "här kommer: {{ type }}{% if number %} {{ number }}{% endif %}"
        "{% if issue_date %} daterad {{ issue_date }}{% endif %}{% if seller %} från {{ seller }}{% endif %}."
        "{% if payable %} Beloppet är {{ payable }}{% if currency %} {{ currency }}{% endif %}"
        "{% if due_date %} och förfaller {{ due_date }}{% endif %}.{% endif %}\n\n"
        "Vänliga hälsningar\n" + _SIGNATURE
    ),
}
