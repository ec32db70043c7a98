"""The relay's way: a source with `recipients = "envelope"` names the addresses in its RCPT TO."""

from __future__ import annotations

from gateway import address
from gateway.errors import Refused
from gateway.model import Step
from gateway.rules.question import Finding, Hold, Question


class EnvelopeAddresses:
    """Takes the envelope's addresses as they came; none is dropped, so one bad address holds the mail."""

    name = "envelope"
    way = "envelope"

    def look(self, question: Question) -> Finding:
        """The RCPT TO addresses."""
        rcpt_to = question.envelope.rcpt_to if question.envelope else ()
        steps: list[Step] = []
        parsed: list[str] = []
        for text in rcpt_to:
            try:
                parsed.append(address.parse(text, utf8=True))
            except Refused as error:
                hold = Hold(cause=f"bad-address:{text[:100]}", sentence=error.sentence, rank=0)
                steps.append(Step(rule=self.name, text=error.sentence, result="lost", where="RCPT TO"))
                return Finding(steps=tuple(steps), hold=hold, final=True)
            steps.append(Step(rule=self.name, text=f"address {text}", result="found", where="RCPT TO"))
        return Finding(to=tuple(dict.fromkeys(parsed)), steps=tuple(steps))


RULE = EnvelopeAddresses()
