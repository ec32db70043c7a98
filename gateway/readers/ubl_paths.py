"""The UBL 2.x vocabulary (OASIS UBL 2.1, 2.3): its namespaces and its compiled XPaths."""

from __future__ import annotations

from gateway.readers.xpath import Paths

DOCUMENT = "urn:oasis:names:specification:ubl:schema:xsd:"

UBL = Paths(
    {
        "cac": f"{DOCUMENT}CommonAggregateComponents-2",
        "cbc": f"{DOCUMENT}CommonBasicComponents-2",
        "ext": f"{DOCUMENT}CommonExtensionComponents-2",
    }
)
