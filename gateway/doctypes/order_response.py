"""What the seller answers to an order; it goes to the buyer."""

from __future__ import annotations

from gateway.doctypes.kind import UBL, DocumentType, titles

ORDER_RESPONSE = DocumentType(
    name="order_response",
    labels={
        "en": "Order confirmation",
        "fr": "Confirmation de commande",
        "de": "Auftragsbestätigung",
        "sv": "Orderbekräftelse",
    },
    subtypes={
        "agreement": {
            "en": "Order agreement",
            "fr": "Accord de commande",
            "de": "Bestellvereinbarung",
            "sv": "Orderöverenskommelse",
        },
    },
    roots={
        f"{{{UBL}OrderResponse-2}}OrderResponse": None,
        f"{{{UBL}OrderResponseSimple-2}}OrderResponseSimple": None,
    },
    codes={"231": None, "320": None},
    words=titles(None, "order confirmation", "order acknowledgement", "order response", "confirmation de commande")
    | titles(None, "accusé de réception de commande", "auftragsbestätigung", "orderbekräftelse", "ordererkännande"),
)
