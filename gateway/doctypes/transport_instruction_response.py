"""What a forwarder answers."""

from __future__ import annotations

from gateway.doctypes.kind import UBL, DocumentType

TRANSPORT_INSTRUCTION_RESPONSE = DocumentType(
    name="transport_instruction_response",
    labels={
        "en": "Answer to a transport instruction",
        "fr": "Réponse à une instruction de transport",
        "de": "Antwort auf einen Transportauftrag",
        "sv": "Svar på transportinstruktion",
    },
    roots={f"{{{UBL}TransportExecutionPlan-2}}TransportExecutionPlan": None},
)
