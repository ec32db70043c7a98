"""The directory way: the document's customer number meets a row (R10, R20-R24)."""

from __future__ import annotations

from gateway import directory
from gateway.model import Recipient, Step
from gateway.rules.question import Finding, Hold, Question


class CustomerNumber:
    """Looks the document's numbers up in the company's directory."""

    name = "customer_number"
    way = "directory"

    def look(self, question: Question) -> Finding:
        """The addresses of the row that the number meets; ambiguous numbers end the search."""
        numbers = [number for number in question.numbers if directory.clean_number(number)]
        if not numbers:
            step = Step(rule=self.name, text="no customer number in the document", result="missing")
            return Finding(steps=(step,), hold=Hold.no_number())
        steps = [
            Step(
                rule=self.name,
                text=f"customer number {number}",
                result="found",
                where=question.where("customer_number", number),
            )
            for number in numbers
        ]
        met = directory.match(numbers, question.rows, question.type, question.business.normalise)
        if met.ambiguous:
            return self._ambiguous(met, steps)
        steps += [self._passed_over(row, question) for row in met.others]
        if met.row is None:
            return self._missing(numbers[0], question, steps)
        spelled = "" if met.how == "exact" else f", spelled {met.row.number} there"
        text = f"row {met.number} for type {met.row.type}{spelled}"
        steps.append(Step(rule=self.name, text=text, result="found", where="directory"))
        return Finding(to=met.row.email, cc=met.row.cc, recipient=met.row, steps=tuple(steps))

    def _passed_over(self, row: Recipient, question: Question) -> Step:
        if row.type not in (question.type, directory.ANY):
            why = f"is for documents of type {row.type}, this one is {question.type}"
        elif row.number not in map(directory.clean_number, question.numbers):
            why = "is spelled differently"
            if not question.business.normalise:
                why += " (resolve.normalise is off)"
        else:
            why = "gives way to the better one"
        text = f"row {row.number} for type {row.type} {why}"
        return Step(rule=self.name, text=text, result="lost", where="directory")

    def _missing(self, number: str, question: Question, steps: list[Step]) -> Finding:
        text = f"no row for customer number {number} and type {question.type}"
        steps.append(Step(rule=self.name, text=text, result="missing", where="directory"))
        shown = directory.clean_number(number)
        sentence = f"Customer number {shown} has no recipient for documents of type {question.type} in the directory."
        return Finding(steps=tuple(steps), hold=Hold(cause=f"no-recipient:{shown}", sentence=sentence, rank=1))

    def _ambiguous(self, met: directory.Match, steps: list[Step]) -> Finding:
        spellings = ", ".join(dict.fromkeys(row.number for row in met.ambiguous))
        text = f"customer number {met.number} could be any of {spellings}"
        steps.append(Step(rule=self.name, text=text, result="missing", where="directory"))
        sentence = f"Customer number {met.number} fits several recipients: {spellings}."
        hold = Hold(cause=f"ambiguous-recipient:{met.number}", sentence=sentence, rank=0)
        return Finding(steps=tuple(steps), hold=hold, final=True)


RULE = CustomerNumber()
