"""Subjects and texts of mails from a company's templates: a small, closed part of Jinja's language.

    {{ number }}   {{ seller | upper }}   {{ number | default("without number") }}
    {% if due_date %}…{% elif payable == "0.00" %}…{% else %}…{% endif %}   {# a note #}

Jinja only parses. The tree is checked node by node and then walked here, so that no template is ever compiled, calls
anything, loops, or reaches an attribute: rendering takes time in proportion to the template, and values are data.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from jinja2 import Environment, TemplateSyntaxError, nodes

from gateway.errors import Refused

VARIABLES: Mapping[str, str] = {
    "type": "what the document is, in the mail's language: Invoice",
    "number": "its number",
    "issue_date": "its date",
    "due_date": "when it is to be paid",
    "payable": "the amount to pay, as written",
    "currency": "the amount's currency, three letters",
    "seller": "who issued it",
    "buyer": "whom it addresses",
    "customer_number": "the buyer's number at the seller",
    "recipient_name": "the name in the recipient's row",
    "company": "the company of this gateway",
    "sender_name": "the sender name of the company's settings",
}
FILTERS: Mapping[str, Callable[[str], str]] = {"upper": str.upper, "lower": str.lower, "trim": str.strip}
DEFAULT = "default"  # the one filter with an argument
MAX_TEMPLATE = 20_000  # characters
MAX_SUBJECT = 250  # characters
MAX_BODY = 20_000  # octets of UTF-8
MAX_DEPTH = 12  # blocks and expressions inside each other

_environment = Environment(autoescape=False, keep_trailing_newline=True)  # it only parses; the output is plain text
_FORBIDDEN = {
    nodes.For: "loops",
    nodes.Call: "calls",
    nodes.CallBlock: "calls",
    nodes.Getattr: "attributes",
    nodes.Getitem: "subscripts",
    nodes.Test: "tests",
    nodes.FilterBlock: "filter blocks",
    nodes.BinExpr: "arithmetic",
    nodes.UnaryExpr: "arithmetic",
    nodes.Concat: "joining",
    nodes.Assign: "assignments",
    nodes.AssignBlock: "assignments",
    nodes.Macro: "macros",
}


def check(template: str) -> None:
    """Refused, saying where and why, when `template` cannot be used; an unknown variable names the nearest one."""
    _parse(template)


def render(template: str, variables: Mapping[str, str]) -> str:
    """The text of a mail: at most 20,000 octets, no trailing blanks, never two empty lines in a row.

    A known variable without a value is empty. Refused as in `check`.
    """
    text = "".join(_render(template, variables, MAX_BODY))
    text = re.sub(r"[ \t\xa0]*(?:\r\n|\r|\n)", "\n", text)
    text = re.sub(r"\n{3,}", "\n\n", text).strip("\n").rstrip()
    return text.encode(errors="replace")[:MAX_BODY].decode(errors="ignore")


def render_subject(template: str, variables: Mapping[str, str]) -> str:
    """A subject: one line, single spaces, at most 250 characters, the last of them `…` when it was longer."""
    line = " ".join("".join(_render(template, variables, 4 * MAX_SUBJECT)).split())
    return line if len(line) <= MAX_SUBJECT else line[: MAX_SUBJECT - 1].rstrip() + "…"


def _render(template: str, variables: Mapping[str, str], limit: int) -> Iterator[str]:
    """The pieces of the text, at most `limit` characters together."""
    for piece in _pieces(_parse(template).body, variables):
        yield piece[:limit]
        limit -= len(piece)
        if limit <= 0:
            return


def _pieces(body: list[nodes.Node], variables: Mapping[str, str]) -> Iterator[str]:
    for node in body:
        if isinstance(node, nodes.Output):
            for part in node.nodes:
                yield part.data if isinstance(part, nodes.TemplateData) else _text(part, variables)
        elif isinstance(node, nodes.If):
            branches = [node, *node.elif_]
            chosen = next((branch.body for branch in branches if _holds(branch.test, variables)), node.else_)
            yield from _pieces(chosen, variables)


def _text(node: nodes.Node, variables: Mapping[str, str]) -> str:
    """The value of an expression."""
    if isinstance(node, nodes.Const):
        return str(node.value)
    if isinstance(node, nodes.Name):
        return variables.get(node.name, "")[:MAX_BODY]
    assert isinstance(node, nodes.Filter)
    assert node.node is not None
    value = _text(node.node, variables)
    if node.name == DEFAULT:
        return value if value.strip() else _text(node.args[0], variables)
    return FILTERS[node.name](value)


def _holds(node: nodes.Node, variables: Mapping[str, str]) -> bool:
    """Whether a condition is true; a value is when it is more than blanks."""
    if isinstance(node, nodes.Not):
        return not _holds(node.node, variables)
    if isinstance(node, nodes.And):
        return _holds(node.left, variables) and _holds(node.right, variables)
    if isinstance(node, nodes.Or):
        return _holds(node.left, variables) or _holds(node.right, variables)
    if isinstance(node, nodes.Compare):
        same = _text(node.expr, variables) == _text(node.ops[0].expr, variables)
        return same == (node.ops[0].op == "eq")
    return bool(_text(node, variables).strip())


# --- what a template may say -----------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _parse(template: str) -> nodes.Template:
    """The checked tree of `template`; Refused when it says more than it may."""
    if len(template) > MAX_TEMPLATE:
        raise Refused(f"The template has {len(template)} characters; {MAX_TEMPLATE} are allowed.")
    try:
        tree = _environment.parse(template)
    except TemplateSyntaxError as error:
        raise Refused(
            f"The template is wrong in line {error.lineno}: {(error.message or '')[:200].rstrip('.')}."
        ) from error
    except (RecursionError, ValueError, OverflowError, SyntaxError) as error:  # nesting, digits, escapes without end
        raise Refused("The template is too deep, or holds a number or an escape that nobody can read.") from error
    _check_body(tree.body, 0)
    return tree


def _check_body(body: list[nodes.Node], depth: int) -> None:
    _check_depth(body[0] if body else None, depth)
    for node in body:
        if isinstance(node, nodes.Output):
            for part in node.nodes:
                if not isinstance(part, nodes.TemplateData):
                    _check_text(part, depth)
        elif isinstance(node, nodes.If):
            for branch in [node, *node.elif_]:
                _check_condition(branch.test, depth)
                _check_body(branch.body, depth + 1)
            _check_body(node.else_, depth + 1)
        else:
            raise _refused(node)


def _check_condition(node: nodes.Node, depth: int) -> None:
    _check_depth(node, depth)
    if isinstance(node, nodes.Not):
        _check_condition(node.node, depth + 1)
    elif isinstance(node, nodes.And | nodes.Or):
        _check_condition(node.left, depth + 1)
        _check_condition(node.right, depth + 1)
    elif isinstance(node, nodes.Compare):
        if len(node.ops) != 1 or node.ops[0].op not in ("eq", "ne"):
            raise Refused(f"The template compares otherwise than by == and != in line {node.lineno}.")
        _check_text(node.expr, depth + 1)
        _check_text(node.ops[0].expr, depth + 1)
    else:
        _check_text(node, depth)


def _check_text(node: nodes.Node, depth: int) -> None:
    _check_depth(node, depth)
    if isinstance(node, nodes.Name):
        _check_known("variable", node.name, VARIABLES, node.lineno)
    elif isinstance(node, nodes.Filter) and node.node is not None:
        _check_known("filter", node.name, [*FILTERS, DEFAULT], node.lineno)
        wanted = int(node.name == DEFAULT)
        if len(node.args) != wanted or node.kwargs or node.dyn_args or node.dyn_kwargs:
            takes = f"{node.name}(text)" if wanted else f"{node.name}, without arguments"
            raise Refused(f"The filter {node.name} in line {node.lineno} of the template is written {takes}.")
        for part in [node.node, *node.args]:
            _check_text(part, depth + 1)
    elif not (isinstance(node, nodes.Const) and isinstance(node.value, str)):
        raise _refused(node)


def _check_depth(node: nodes.Node | None, depth: int) -> None:
    if depth > MAX_DEPTH:
        line = node.lineno if node else "?"
        raise Refused(f"The template nests more than {MAX_DEPTH} levels in line {line}.")


def _check_known(kind: str, name: str, known: Mapping[str, object] | list[str], line: int) -> None:
    if name not in known:
        near = difflib.get_close_matches(name[:100], known, 1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}."
        raise Refused(f"The template uses the unknown {kind} {name[:100]!r} in line {line}; {hint}")


def _refused(node: nodes.Node) -> Refused:
    what = next((word for kind, word in _FORBIDDEN.items() if isinstance(node, kind)), f"“{type(node).__name__}”")
    return Refused(f"The template uses {what} in line {node.lineno}; only values, a few filters and `if` are allowed.")
