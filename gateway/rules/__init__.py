"""Recipient rules: which addresses a document goes to, and why.

A rule is one file with a `name`, the `way` it is called in the setting `resolve.order`, and `look(question)`, which
gives a `Finding`; `RULES` is the table. The rules are asked in the company's order, every one, so that the trace shows
what a losing rule would have given (S1). The first finding that has addresses wins; a finding that is `final` ends the
search without: nobody guesses (S13). The company's switch comes last (R5, R6).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from gateway.directory import number_key
from gateway.model import Envelope, Fields, ReadDocument, Recipient, Resolution, Step
from gateway.rules import customer_number, document_address, envelope
from gateway.rules.question import Finding, Hold, Question
from gateway.settings import Business

__all__ = ["RULES", "Finding", "Question", "candidates", "keys", "resolve"]


class Rule(Protocol):
    """One way from a document to addresses."""

    @property
    def name(self) -> str:
        """What the trace calls the rule."""
        ...

    @property
    def way(self) -> str:
        """Its word in `resolve.order`."""
        ...

    def look(self, question: Question) -> Finding:
        """What this rule finds. Pure; never raises for what stands in the document."""
        ...


RULES: tuple[Rule, ...] = (customer_number.RULE, document_address.RULE)


def candidates(reading: ReadDocument, fields: Fields) -> tuple[str, ...]:
    """The customer numbers to look up, best first; what the sender said beats what stands in the document."""
    return (fields.customer_number,) if fields.customer_number else reading.customer_numbers


def keys(reading: ReadDocument, fields: Fields) -> tuple[str, ...]:
    """The directory keys whose rows `resolve` wants to see."""
    return tuple(dict.fromkeys(key for key in map(number_key, candidates(reading, fields)) if key))


def resolve(
    reading: ReadDocument,
    fields: Fields,
    rows: Sequence[Recipient],
    business: Business,
    envelope_: Envelope | None = None,
) -> Resolution:
    """Where the document goes. `rows` are the company's directory rows under `keys(reading, fields)`.

    With an envelope (sources with `recipients = "envelope"`) its addresses are taken as they are. Without addresses in
    the answer the document is held: `cause`, `sentence` and `wakes`, the events that remove the cause.
    """
    question = Question(
        reading=reading,
        fields=fields,
        numbers=candidates(reading, fields),
        type=fields.type or reading.type,
        rows=tuple(rows),
        business=business,
        envelope=envelope_,
    )
    if envelope_ is not None:
        return _switch(question, _decide(question, [(envelope.RULE.name, envelope.RULE.look(question))]))
    ways = {rule.way: rule for rule in RULES}
    return _switch(question, _decide(question, [(ways[way].name, ways[way].look(question)) for way in business.order]))


def _decide(question: Question, findings: Sequence[tuple[str, Finding]]) -> Resolution:
    trace = [*question.said()]
    winner: tuple[str, Finding] | None = None
    ended: Finding | None = None
    for name, finding in findings:
        trace += finding.steps
        if finding.to and (winner or ended):
            trace.append(Step(rule=name, text=f"would give {', '.join(finding.to)}", result="lost"))
        elif finding.to:
            winner = (name, finding)
            trace.append(Step(rule=name, text=f"gives {_addressees(finding)}", result="chosen"))
        elif finding.final and winner is None:
            ended = ended or finding
    if winner is None:
        return _held(question, ended, [finding for _, finding in findings], trace)
    name, finding = winner
    return Resolution(
        to=finding.to,
        cc=tuple(address for address in finding.cc if address not in finding.to),
        rule=name,
        recipient=_as_allowed(finding.recipient, question.business),
        trace=tuple(trace),
    )


def _addressees(finding: Finding) -> str:
    to = ", ".join(finding.to)
    return f"{to}, copy to {', '.join(finding.cc)}" if finding.cc else to


def _as_allowed(row: Recipient | None, business: Business) -> Recipient | None:
    """The row without its format when the company exchanges PDF only (R57)."""
    return row if row is None or business.advanced else msgspec.structs.replace(row, format=None)


def _held(question: Question, ended: Finding | None, findings: Sequence[Finding], trace: list[Step]) -> Resolution:
    """No addresses: the hold of the rule that ended the search, else the most telling one."""
    holds = [finding.hold for finding in ([ended] if ended else findings) if finding.hold]
    hold = min(holds, key=lambda hold: hold.rank, default=Hold.no_number())
    others = [other.sentence for other in holds if other is not hold and other.adds]
    return Resolution(
        trace=tuple(trace),
        cause=hold.cause,
        sentence=" ".join([hold.sentence, *others]),
        wakes=tuple(dict.fromkeys([*question.row_events(), *question.setting_events()])),
    )


def _switch(question: Question, found: Resolution) -> Resolution:
    """The company's switch, after everything else: only a document that could leave is held for it."""
    if question.business.active or found.cause:
        return found
    off = Step(rule="distribution", text="e-mail distribution is switched off for the company", result="off")
    return msgspec.structs.replace(
        found,
        to=(),
        cc=(),
        trace=(*found.trace, off),
        cause="distribution-off",
        sentence=f"E-mail distribution is switched off; it would go to {', '.join(found.to)}.",
        wakes=(f"setting:{question.business.company}:distribution.active",),
    )
