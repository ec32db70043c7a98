"""Which regular expressions an operator may configure: ones that cannot run for ever over a hostile text."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?(?:P?<[A-Za-z_]\w*>|[aiLmsux-]*:|<?[=!]|>))?|\)|[*+?][?+]?|\{\d*,?\d*\}[?+]?|.",
    re.DOTALL,
)
_LONGEST = 500  # characters
_MANY = 20  # repetitions that count as endless


def check(pattern: str) -> tuple[int, tuple[str, ...]]:
    """The number of groups in `pattern` and the names of the named ones; ValueError says why it may not be used.

    A repetition inside a repetition (`(a+)+`) tries exponentially many ways to match, and so does a repeated choice
    (`(a|ab)*`) whose branches overlap; neither is needed to find a number in a text.
    """
    if len(pattern) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters")
    import regex  # 20 ms that only a configuration with patterns needs to pay

    try:
        compiled = regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    if _repeats_itself(pattern):
        raise ValueError("repeats a group in which something repeats or branches, which can take for ever")
    return compiled.groups, tuple(compiled.groupindex)


def _repeats_itself(pattern: str) -> bool:
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
                return True
            inner, closed = True, False
        else:
            inner = inner or token == "|"
            closed = False
    return False


def _repeats(token: str) -> bool:
    """Whether the token makes what stands before it repeat without a small bound."""
    if token[0] in "*+":
        return True
    if token[0] != "{" or len(token) == 1:
        return False
    most = token.strip("{}?+").rpartition(",")[2]
    return not most or int(most) > _MANY
