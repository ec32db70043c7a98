"""The document's way: the e-mail address that stands in it, where the company allows that (R7-R9, S4, S15, S16)."""

from __future__ import annotations

from gateway import address
from gateway.errors import Refused
from gateway.model import Step
from gateway.rules.question import Finding, Hold, Question


class DocumentAddress:
    """Takes the best usable address of the document; one field may hold several (S4)."""

    name = "document_address"
    way = "document"

    def look(self, question: Question) -> Finding:
        """The addresses of the best field whose every address is one; more than the company's maximum are held."""
        places = [(text, where) for text, where in question.addresses if address.split_list(text)]
        if not places:
            return Finding(steps=(Step(rule=self.name, text="no e-mail address in the document", result="missing"),))
        found = [
            Step(rule=self.name, text=f"address {_short(text)}", result="found", where=where) for text, where in places
        ]
        if not question.business.document_address:
            off = Step(rule=self.name, text="resolve.document_address is off: not used", result="off")
            return Finding(steps=(*found, off))
        return self._use(question, [text for text, _ in places], found)

    def _use(self, question: Question, texts: list[str], steps: list[Step]) -> Finding:
        if sum(len(address.split_list(text)) for text in texts) > question.business.max_recipients:
            return self._too_many(question, texts, steps)
        chosen: tuple[str, ...] = ()
        for text in texts:
            parsed, problem = _parse_all(text)
            if problem:
                steps.append(Step(rule=self.name, text=problem, result="lost"))
            elif chosen and set(parsed) - set(chosen):
                steps.append(
                    Step(rule=self.name, text=f"{_short(text)} comes after {', '.join(chosen)}", result="lost")
                )
            elif not chosen:
                chosen = parsed
        if chosen:
            return Finding(to=chosen, cc=self._copies(question, steps), steps=tuple(steps))
        sentence = f"The address {_short(texts[0])!r} in the document is no e-mail address."
        hold = Hold(cause=f"bad-address:{_short(texts[0])}", sentence=sentence, rank=2, adds=True)
        return Finding(steps=tuple(steps), hold=hold)

    def _copies(self, question: Question, steps: list[Step]) -> tuple[str, ...]:
        """The sender's Cc, without those that are no addresses: a copy never stops the document (S14)."""
        copies: list[str] = []
        for text in question.fields.cc:
            parsed, problem = _parse_all(text)
            copies += parsed
            if problem:
                steps.append(Step(rule=self.name, text=f"copy left out: {problem}", result="lost"))
        return tuple(dict.fromkeys(copies))

    def _too_many(self, question: Question, texts: list[str], steps: list[Step]) -> Finding:
        count = sum(len(address.split_list(text)) for text in texts)
        limit = question.business.max_recipients
        steps = [*steps[:3], Step(rule=self.name, text=f"{count} addresses, more than {limit}", result="lost")]
        sentence = f"The document names {count} addresses; resolve.max_recipients allows {limit}."
        hold = Hold(cause="too-many-recipients", sentence=sentence, rank=0)
        return Finding(steps=tuple(steps), hold=hold, final=True)


def _parse_all(text: str) -> tuple[tuple[str, ...], str]:
    """All addresses of one field, or none and what is wrong with the first that is none."""
    try:
        parsed = [address.parse(item) for item in address.split_list(text)]
    except Refused as error:
        return (), error.sentence
    return tuple(dict.fromkeys(parsed)), ""


def _short(text: str) -> str:
    return text if len(text) <= 100 else text[:99] + "…"


RULE = DocumentAddress()
