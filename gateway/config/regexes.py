"""Which regular expressions an operator may configure: ones that cannot run for ever over a hostile text."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?(?:P?<[A-Za-z_]\w*>|[aiLmsux-]*:|<?[=!]|>))?|\)|[*+?][?+]?|\{\d*,?\d*\}[?+]?|.",
    re.DOTALL,
)
_LONGEST = 500  # characters
_MANY = 20  # repetitions that count as endless


def objection(pattern: str) -> str | None:
    """Why `pattern` may not be used, the end of a sentence; None when it may.

    A repetition inside a repetition (`(a+)+`) tries exponentially many ways to match, and so does a repeated choice
    (`(a|ab)*`) whose branches overlap; neither is needed to find a number in a text.
    """
    if len(pattern) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    import regex  # 20 ms that only a configuration with patterns needs to pay

    try:
        regex.compile(pattern)
    except regex.error as error:
        return f"is no regular expression: {error}"
    opened: list[bool] = []  # per open group: whether something inside it repeats or branches
    closed = False  # whether the last thing was a group of which that is true
    inner = False
    for token in _TOKEN.findall(pattern):
        if token[0] == "(":
            opened.append(inner)
            inner = closed = False
        elif token == ")":
            closed, inner = inner, (opened.pop() if opened else False) or inner
        elif _repeats(token):
            if closed:
                return "repeats a group in which something repeats or branches, which can take for ever"
            inner, closed = True, False
        else:
            inner = inner or token == "|"
            closed = False
    return None


def _repeats(token: str) -> bool:
    """Whether the token makes what stands before it repeat without a small bound."""
    if token[0] in "*+":
        return True
    if token[0] != "{" or len(token) == 1:
        return False
    most = token.strip("{}?+").rpartition(",")[2]
    return not most or int(most) > _MANY
