"""What a forwarder is asked to do."""

from __future__ import annotations

from gateway.doctypes.kind import UBL, DocumentType, titles

TRANSPORT_INSTRUCTION = DocumentType(
    name="transport_instruction",
    labels={
        "en": "Transport instruction",
        "fr": "Instruction de transport",
        "de": "Transportauftrag",
        "sv": "Transportinstruktion",
    },
    roots={
        f"{{{UBL}ForwardingInstructions-2}}ForwardingInstructions": None,
        f"{{{UBL}TransportExecutionPlanRequest-2}}TransportExecutionPlanRequest": None,
    },
    words=titles(None, "transport instruction", "instruction de transport", "transportauftrag", "transportinstruktion"),
)
