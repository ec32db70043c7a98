"""The fields of a text PDF: which patterns apply, in which order, on which pages, and what each of them gave."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from gateway.address import split_list
from gateway.model import Found, Pattern
from gateway.readers import pdfvalues
from gateway.readers.pdflabels import DEFAULTS
from gateway.readers.pdfmatch import BadPattern, Hit, hits
from gateway.readers.pdftext import Page

MAX_PAGES_READ = 50  # a pattern without a page looks at so many, and at the last
DEFAULT_PAGES = (1, 2, -1)  # where the default labels look
MAX_CANDIDATES = 20

# A routing tag that the sender prints on purpose: GW1;c=1001;t=invoice;n=F-17;e=a@b.example
_TAG_BEGINS = "gw1;"
_TAG = re.compile(r"GW1((?:;[a-z]=[^;\s]{1,200}){1,10})")
_TAG_FIELDS = {"c": "customer_number", "t": "type", "n": "number", "e": "email"}
_MANY = ("customer_number", "email")  # fields of which all values are wanted


class Fields:
    """What was found, with its evidence; asked by field."""

    def __init__(self, patterns: Sequence[Pattern], pages: int, read: Callable[[int], Page]) -> None:
        self.hits: dict[str, list[Hit]] = {}
        self.notes: list[str] = []
        self._pages = pages
        self._read = read
        self._cache: dict[int, Page] = {}
        self._is_day_first = pdfvalues.is_day_first(self.page(1).lines().folded)
        self._look_for_tag()
        self._apply(patterns, are_defaults=False)
        own = {pattern.field for pattern in patterns} | set(self.hits)
        self._apply([pattern for pattern in DEFAULTS if pattern.field not in own], are_defaults=True)

    def page(self, number: int) -> Page:
        """Page `number`, read once."""
        if number not in self._cache:
            self._cache[number] = self._read(number)
        return self._cache[number]

    def value(self, field: str) -> str | None:
        """The best value of a field."""
        found = self.hits.get(field)
        return found[0].value if found else None

    def values(self, field: str) -> tuple[str, ...]:
        """All different values of a field, best first."""
        return tuple(dict.fromkeys(hit.value for hit in self.hits.get(field, ())))[:MAX_CANDIDATES]

    def evidence(self) -> tuple[Found, ...]:
        """Where each value stands: one entry for most fields, one per candidate for numbers and addresses."""
        return tuple(
            Found(field=field, value=hit.value, where=hit.where)
            for field, found in self.hits.items()
            for hit in (found[:MAX_CANDIDATES] if field in _MANY else found[:1])
        )

    def _look_for_tag(self) -> None:
        lines = self.page(1).lines()
        for line in lines if _TAG_BEGINS in lines.folded else ():
            for match in _TAG.finditer(line.text.replace("  ", " ")):
                for pair in match[1][1:].split(";"):
                    key, _, value = pair.partition("=")
                    if key in _TAG_FIELDS:
                        self.hits.setdefault(_TAG_FIELDS[key], []).append(Hit(value, 1, line.box))

    def _apply(self, patterns: Sequence[Pattern], *, are_defaults: bool) -> None:
        """The source's patterns after the tag, in their order; a field that is complete is not looked for again."""
        for pattern in patterns:
            for number in self._numbers(pattern, are_defaults):
                if pattern.field in self.hits and pattern.field not in _MANY:
                    break
                if not self._match(pattern, number, are_defaults):
                    break

    def _numbers(self, pattern: Pattern, are_defaults: bool) -> list[int]:
        """The pages that a pattern looks at."""
        if pattern.page is not None:
            wanted: Sequence[int] = (pattern.page,)
        else:
            pages = DEFAULT_PAGES if pattern.field != "payable" else DEFAULT_PAGES[::-1]
            wanted = pages if are_defaults else (*range(1, MAX_PAGES_READ + 1), -1)
        numbers = (number if number > 0 else self._pages + 1 + number for number in wanted)
        return list(dict.fromkeys(number for number in numbers if 1 <= number <= self._pages))

    def _match(self, pattern: Pattern, number: int, are_defaults: bool) -> bool:
        """Look for `pattern` on a page; False when it is of no use on any other."""
        shape = pdfvalues.SHAPES.get(pattern.field, pdfvalues.anything)
        if pattern.field in ("number", "customer_number") and not are_defaults:
            shape = pdfvalues.anything if pattern.regex else pdfvalues.word
        if shape is pdfvalues.date and self._is_day_first:
            shape = pdfvalues.day_first
        try:
            found = list(hits(pattern, self.page(number), shape))
            codes = list(hits(pattern, self.page(number), pdfvalues.currency)) if pattern.field == "payable" else []
        except TimeoutError:
            self.notes.append(f"The pattern for {pattern.field} took too long on page {number} and was left out.")
            return False
        except BadPattern as error:
            self.notes.append(f"The pattern for {pattern.field} is no regular expression: {error}.")
            return False
        if are_defaults and pattern.field == "payable":
            found.reverse()  # the amount to pay comes after the columns and subtotals that are called the same
        if pattern.field == "email":
            found = [hit._replace(value=each) for hit in found for each in split_list(hit.value)]
        if found:
            known = self.hits.setdefault(pattern.field, [])
            known += [hit for hit in found if hit.value not in {each.value for each in known}]
            beside = [hit for hit in codes if hit.box.top == known[0].box.top]
            if beside:
                self.hits.setdefault("currency", beside[:1])
        return True
