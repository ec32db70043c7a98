"""Business settings: what each company decides, declared once.

`SETTINGS` is the table; the command line, the admin API, `docs/settings.md` and the checks are made from it. The values
live in the store, one row per company and key; `Business` is how the pipeline sees them, defaults applied.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

import msgspec

from gateway.errors import NotFound
from gateway.model import Value
from gateway.settingvalues import CHECKS, WAYS, Kind
from gateway.wording import DEFAULT_BODY, DEFAULT_SUBJECT, LANGUAGES

ANY = "any"  # in the place of a document type: every type that has no setting of its own


class Setting(Value, frozen=True, kw_only=True):
    """One line of the table. `key` may hold TYPE (a document type or `any`) and LANG (two letters)."""

    key: str
    kind: Kind
    default: bool | int | str | None  # None: said in `default_text`
    default_text: str = ""
    advanced: bool = False  # only an advanced company may set it; for others the default holds (R27, R48, R57)
    help: str  # one sentence
    event: str  # what a change wakes: held documents that wait for `<event>:<company>` and its kind


SETTINGS: tuple[Setting, ...] = (
    Setting(
        key="distribution.active",
        kind="switch",
        default=True,
        help="Documents leave by e-mail; when false they are accepted and held.",
        event="distribution.active",
    ),
    Setting(
        key="resolve.document_address",
        kind="switch",
        default=False,
        help="Send to the e-mail address in the document; no row of the directory is needed then.",
        event="resolve",
    ),
    Setting(
        key="resolve.order",
        kind="order",
        default="directory,document",
        help="Which way wins when the directory and the document both give an address.",
        event="resolve",
    ),
    Setting(
        key="resolve.normalise",
        kind="switch",
        default=False,
        help="Match customer numbers without regard to leading zeros and case when none matches as written.",
        event="resolve",
    ),
    Setting(
        key="resolve.max_recipients",
        kind="count",
        default=50,
        help="A document that names more addresses than this is held.",
        event="resolve",
    ),
    Setting(
        key="sender.prefix",
        kind="prefix",
        default=None,
        default_text="`default_prefix` of `gateway.toml`",
        advanced=True,
        help="The part before the @ of the address that mails come from; the domain is the operator's.",
        event="sender",
    ),
    Setting(
        key="sender.name",
        kind="name",
        default="",
        advanced=True,
        help="The name shown beside the sender's address.",
        event="sender",
    ),
    Setting(
        key="sender.reply_to",
        kind="address",
        default="",
        advanced=True,
        help="The address that answers go to.",
        event="sender",
    ),
    Setting(
        key="format.TYPE",
        kind="format",
        default="pdf",
        advanced=True,
        help="The format of documents of this type for recipients whose row names none.",
        event="format",
    ),
    Setting(
        key="on_loss.TYPE",
        kind="loss",
        default="hold",
        advanced=True,
        help="Whether a document that its format cannot hold waits (hold) or goes as PDF (fallback_pdf), "
        "which is noted.",
        event="format",
    ),
    Setting(
        key="language",
        kind="language",
        default="en",
        help="The language of mails to recipients whose row and document name none.",
        event="template",
    ),
    Setting(
        key="template.TYPE.LANG.subject",
        kind="subject",
        default=None,
        default_text="type and number, in the language",
        help="The subject of mails with documents of this type in this language.",
        event="template",
    ),
    Setting(
        key="template.TYPE.LANG.body",
        kind="body",
        default=None,
        default_text="a short letter in the language",
        help="The text of mails with documents of this type in this language.",
        event="template",
    ),
    Setting(
        key="advanced",
        kind="switch",
        default=True,
        help="The company may choose formats, sender and answer address.",
        event="format",
    ),
)


# --- keys ------------------------------------------------------------------------------------------------


class Key(Value, frozen=True, kw_only=True):
    """A key taken apart: its line of the table, and the type and language it names."""

    text: str
    setting: Setting
    type: str | None = None
    language: str | None = None


def find(key: str, types: Sequence[str]) -> Key:
    """The line of the table that `key` belongs to; NotFound, naming the nearest key, when there is none.

    `types` are the names of the document types; `any` stands for all of them.
    """
    words = key.split(".")
    for setting in SETTINGS:
        pattern = setting.key.split(".")
        if len(pattern) == len(words) and all(p in ("TYPE", "LANG", w) for p, w in zip(pattern, words, strict=True)):
            named = dict(zip(pattern, words, strict=True))
            _check_type(key, named.get("TYPE"), types)
            _check_language_word(key, named.get("LANG"))
            return Key(text=key, setting=setting, type=named.get("TYPE"), language=named.get("LANG"))
    near = difflib.get_close_matches(key, all_keys(types), 1, 0.5)
    hint = f"; the nearest is {near[0]}" if near else ""
    raise NotFound(f"There is no setting {key!r}{hint}.", "key")


def _check_type(key: str, type_: str | None, types: Sequence[str]) -> None:
    if type_ is not None and type_ != ANY and type_ not in types:
        near = difflib.get_close_matches(type_, types, 1, 0.5)
        hint = f"the nearest is {near[0]}" if near else "there are " + ", ".join([*types, ANY])
        raise NotFound(f"There is no document type {type_!r} for the setting {key!r}; {hint}.", "key")


def _check_language_word(key: str, language: str | None) -> None:
    if language is not None and not re.fullmatch("[a-z]{2}", language):
        raise NotFound(f"{language!r} in {key!r} is no language: two small letters such as fr are expected.", "key")


def all_keys(types: Sequence[str]) -> list[str]:
    """Every key with its type, and the built-in languages, spelled out: what a list shows."""
    keys: list[str] = []
    for setting in SETTINGS:
        spelled = [setting.key]
        if "TYPE" in setting.key:
            spelled = [key.replace("TYPE", type_) for key in spelled for type_ in (*types, ANY)]
        if "LANG" in setting.key:
            spelled = [key.replace("LANG", language) for key in spelled for language in LANGUAGES]
        keys += spelled
    return keys


def event_of(key: Key, company: str) -> str:
    """The key of the event "this setting changed", which held documents wait for."""
    if key.setting.event == "template":
        return f"template:{company}"
    return f"setting:{company}:{key.setting.event}"


# --- values ----------------------------------------------------------------------------------------------


def check(key: Key, value: object, formats: Sequence[str]) -> object:
    """The value to store for `key`: from a command line's text or from JSON.

    None means: back to the default (given by null, or by an empty text where emptiness is no value).
    `formats` are the names of the choosable formats. Refused, field = the key, when the value does not fit.
    """
    if value is None:
        return None
    if isinstance(value, str) and not value.strip() and key.setting.kind != "switch":
        return None
    return CHECKS[key.setting.kind](key.text, value, formats)


# --- how the pipeline sees them --------------------------------------------------------------------------


class Business(Value, frozen=True, kw_only=True):
    """One company's settings with the defaults applied; a company that is not advanced gets the defaults of what
    only advanced ones may choose, whatever is stored (R27, R48, R57)."""

    company: str
    active: bool = True
    document_address: bool = False
    order: tuple[str, ...] = WAYS
    normalise: bool = False
    max_recipients: int = 50
    prefix: str = "noreply"
    sender_name: str = ""
    reply_to: str = ""
    language: str = "en"
    advanced: bool = True
    formats: Mapping[str, str] = msgspec.field(default_factory=dict)  # type -> format
    losses: Mapping[str, str] = msgspec.field(default_factory=dict)  # type -> hold or fallback_pdf
    templates: Mapping[str, str] = msgspec.field(default_factory=dict)  # TYPE.LANG.subject|body -> text

    @classmethod
    def of(cls, company: str, values: Mapping[str, object], default_prefix: str) -> Business:
        """The view of the stored `values` (key → value as `check` gave it) of `company`."""
        seen = {key: str(value) for key, value in values.items()}
        advanced = values.get("advanced", True) is True
        chosen = seen if advanced else {}
        return cls(
            company=company,
            active=values.get("distribution.active", True) is True,
            document_address=values.get("resolve.document_address", False) is True,
            order=tuple(seen.get("resolve.order", "directory,document").split(",")),
            normalise=values.get("resolve.normalise", False) is True,
            max_recipients=int(seen.get("resolve.max_recipients", "50")),
            prefix=chosen.get("sender.prefix", default_prefix),
            sender_name=chosen.get("sender.name", ""),
            reply_to=chosen.get("sender.reply_to", ""),
            language=seen.get("language", "en"),
            advanced=advanced,
            formats=_below(chosen, "format."),
            losses=_below(chosen, "on_loss."),
            templates=_below(seen, "template."),
        )

    def format(self, doc_type: str, own: str | None = None) -> str:
        """The format for a document of `doc_type`: the recipient's `own` beats the type's default (R53-R57)."""
        if not self.advanced:
            return "pdf"
        return own or self.formats.get(doc_type) or self.formats.get(ANY) or "pdf"

    def on_loss(self, doc_type: str) -> str:
        """`hold` or `fallback_pdf`, for a document of `doc_type` that its format cannot hold (S22)."""
        return self.losses.get(doc_type) or self.losses.get(ANY) or "hold"

    def subject(self, doc_type: str, language: str) -> str:
        """The template text of the subject for this type and language."""
        return self._template(doc_type, language, "subject", DEFAULT_SUBJECT)

    def body(self, doc_type: str, language: str) -> str:
        """The template text of the mail's body for this type and language."""
        return self._template(doc_type, language, "body", DEFAULT_BODY)

    def _template(self, doc_type: str, language: str, part: str, built_in: Mapping[str, str]) -> str:
        """The company's own text in the language; then ours in the language; then the same in the company's."""
        for spoken in (language, self.language):
            for type_ in (doc_type, ANY):
                own = self.templates.get(f"{type_}.{spoken}.{part}")
                if own is not None:
                    return own
            if spoken in built_in:
                return built_in[spoken]
        return built_in["en"]


def _below(values: Mapping[str, str], start: str) -> dict[str, str]:
    return {key.removeprefix(start): value for key, value in values.items() if key.startswith(start)}


def default_of(key: Key, default_prefix: str) -> object:
    """The value that holds while nothing is stored for `key`."""
    business = Business.of("", {}, default_prefix)
    if key.setting.kind == "subject":
        return business.subject(key.type or ANY, key.language or "en")
    if key.setting.kind == "body":
        return business.body(key.type or ANY, key.language or "en")
    return default_prefix if key.setting.kind == "prefix" else key.setting.default
