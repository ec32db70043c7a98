"""What a buyer expects to need; it goes to the seller."""

from __future__ import annotations

from gateway.doctypes.kind import UBL, DocumentType, titles

DELIVERY_FORECAST = DocumentType(
    name="delivery_forecast",
    labels={"en": "Delivery forecast", "fr": "Prévision de livraison", "de": "Lieferplan", "sv": "Leveransprognos"},
    roots={f"{{{UBL}Forecast-2}}Forecast": None, f"{{{UBL}ForecastRevision-2}}ForecastRevision": None},
    words=titles(None, "delivery forecast", "prévision de livraison", "lieferplan", "leveransprognos"),
)
