"""Whether mail can go to the domains of a list: asked in the DNS, said as warnings, never as errors.

Nothing is said unless the DNS answers: without it a list is imported as before. At most `MOST` domains are asked for,
those with most addresses first, for `SECONDS` in all.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.admin.running import Running
from gateway.errors import Refused
from gateway.smtp.resolver import NoAnswer, Resolver
from gateway.store.batches import Planned
from gateway.workbook.model import Finding

MOST = 500
SECONDS = 10.0
_AT_ONCE = 20
_SILENT = 3  # questions without an answer after which the DNS is not asked any more, unless it has answered one
_SURE = 3  # answers of which not all may say that there is no such domain: then it is the DNS that has lost the world
_NOTED = 20_000  # domains of one list


@dataclass(slots=True)
class Place:
    """Where a domain is first, and how many addresses have it."""

    row: int
    column: str  # field
    count: int = 1


@dataclass(slots=True)
class Domains:
    """The domains of the addresses that a list would write."""

    places: dict[str, Place] = field(default_factory=dict)

    def note(self, planned: Planned, columns: Mapping[str, str]) -> None:
        """Take down the domains of one row, as far as the file says its addresses."""
        if not planned.writes:
            return
        for column in ("email", "cc"):
            for address in getattr(planned.recipient, column) if column in columns else ():
                domain = address.rpartition("@")[2]
                place = self.places.get(domain)
                if place is not None:
                    place.count += 1
                elif len(self.places) < _NOTED:
                    self.places[domain] = Place(planned.line, column)

    def chosen(self) -> list[str]:
        """Those that are asked for."""
        return heapq.nlargest(MOST, self.places, key=lambda domain: self.places[domain].count)


def wanted(running: Running, word: str | None) -> Resolver | None:
    """Who is asked; `word` is check or skip. Without it: nobody where no mail leaves anyway (`relay.mode` capture)."""
    if word not in (None, "check", "skip"):
        raise Refused(f"domains is check or skip, not {word!r}.", "domains")
    leaves = running.config.relay.mode != "capture"
    return running.resolver if word == "check" or (word is None and leaves) else None


async def warnings(resolver: Resolver, domains: Domains, columns: Mapping[str, str]) -> list[Finding]:
    """A warning for each domain to which no mail can go, at its first row."""
    found = []
    for domain, why in sorted((await ask(resolver, domains.chosen())).items()):
        place = domains.places[domain]
        others = f" ({place.count} addresses)" if place.count > 1 else ""
        sentence = f"No mail can go there: {why}{others}."
        found.append(
            Finding(row=place.row, cell=f"{columns[place.column]}{place.row}", code="W-DOMAIN", sentence=sentence)
        )
    return found


async def ask(resolver: Resolver, domains: list[str]) -> dict[str, str]:
    """Those of `domains` to which no mail can go, with the reason."""
    answers: dict[str, str | None] = {}
    silent = 0
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(domain: str) -> None:
        nonlocal silent
        async with room:
            if silent >= _SILENT and not answers:
                return
            try:
                answers[domain] = await resolver.obstacle(domain)
            except NoAnswer:
                silent += 1

    tasks = [asyncio.create_task(one(domain)) for domain in domains]
    if tasks:
        try:
            await asyncio.wait(tasks, timeout=SECONDS)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    obstacles = {domain: why for domain, why in answers.items() if why is not None}
    return {} if len(obstacles) == len(answers) >= _SURE else obstacles
