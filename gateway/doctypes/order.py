"""Orders, which go to the seller, with their changes, agreements and cancellations."""

from __future__ import annotations

from gateway.doctypes.kind import UBL, DocumentType, titles

ORDER = DocumentType(
    name="order",
    labels={"en": "Order", "fr": "Commande", "de": "Bestellung", "sv": "Order"},
    subtypes={
        "change": {
            "en": "Order change",
            "fr": "Modification de commande",
            "de": "Bestelländerung",
            "sv": "Orderändring",
        },
        "cancellation": {
            "en": "Order cancellation",
            "fr": "Annulation de commande",
            "de": "Bestellstornierung",
            "sv": "Orderannullering",
        },
    },
    roots={
        f"{{{UBL}Order-2}}Order": None,
        f"{{{UBL}OrderChange-2}}OrderChange": "change",
        f"{{{UBL}OrderCancellation-2}}OrderCancellation": "cancellation",
    },
    codes={"220": None, "227": None, "230": "change"},
    words=titles(None, "purchase order", "order", "bon de commande", "commande", "bestellung", "inköpsorder")
    | titles(None, "beställning")
    | titles("change", "order change", "modification de commande", "bestelländerung", "orderändring")
    | titles("cancellation", "order cancellation", "annulation de commande", "bestellstornierung", "orderannullering"),
)
