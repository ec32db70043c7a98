"""One document: what it is, why it goes where it goes, each delivery with every reply, its timeline and its files."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from tui.api import GatewayError, path_of
from tui.causes import cause_text
from tui.changed import emails, type_text
from tui.cliwords import command_lines
from tui.columns import Row
from tui.counted import BYTES_SAVED, CANCEL_DOCUMENTS, CANCELLED, GO_ON, RELEASE_DOCUMENTS, STEERED
from tui.dialogs import Ask, Confirm
from tui.helptext import view_help_lines
from tui.lines import fitted
from tui.pager import Pager, Styled
from tui.safe import safe
from tui.said import told
from tui.states import full_time, state_style, state_word
from tui.traced import field_text, note_text, rule_text, step_text, where_text
from tui.words import N_, _, colon, count, some

_TEXT_LIMIT = 200_000  # characters of a mail's part


class DocumentView(Pager):
    """The keys of one document."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "original", N_("Original")),
        Binding("f", "sent", N_("Sent file")),
        Binding("m", "message", N_("Message")),
        Binding("s", "save", N_("Save…")),
        Binding("t", "retry", N_("Try now")),
        Binding("n", "resend", N_("Send again…")),
        Binding("R", "release", N_("Release")),
        Binding("C", "cancel", N_("Cancel…")),
        Binding("y", "copy", N_("Copy"), show=False),
        Binding("Y", "select", N_("Show to select"), show=False),
        Binding("exclamation_mark", "command", N_("Command lines"), show=False),
        Binding("question_mark", "help", N_("Help"), show=False),
    ]
    LINES: ClassVar[Mapping[str, str]] = {
        "": "documents show {id}",
        "original": "documents text {id}",
        "sent": "documents message {id} --output {file}",
        "message": "documents message {id}",
        "save": "documents original {id} --output {file}",
        "retry": "queue retry {delivery}",
        "resend": "documents resend {id} --to {to}",
        "release": "documents release {id}",
        "cancel": "documents cancel {id} --reason {reason}",
    }
    NEEDS: ClassVar[Mapping[str, str]] = {
        "retry": "operate",
        "resend": "resend",
        "release": "operate",
        "cancel": "operate",
    }

    def __init__(self, shown: Row) -> None:
        super().__init__(document_title(shown), document_lines(shown))
        self.shown = shown

    def keys(self) -> str:
        """The keys of a document."""
        words = [f"{b.key} {_(b.description)}" for b in type(self).BINDINGS if isinstance(b, Binding) and b.show]
        return fitted(words, f"? {_('Help')}  {_('Esc back')}", self.size.width - 2)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Refuse what the role does not allow, and say so."""
        role = self.console.missing.get(self.NEEDS.get(action, ""))
        if role is not None:
            self.say(_("This needs the role {role}.").format(role=role), bad=True)
        return role is None

    def _path(self, *words: str) -> str:
        return path_of("documents", self.shown["id"], *words)

    async def read_again(self) -> None:
        """Show what has become of it."""
        self.shown = await self.console.api.get(self._path())
        self.body.show(document_lines(self.shown))

    # --- files --------------------------------------------------------------------------------------------

    @work(exit_on_error=False)
    async def action_original(self) -> None:
        """The text of the file as it came in."""
        try:
            found = await self.console.api.get(self._path("text"))
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return
        self.app.push_screen(Pager(found["file_name"], found["lines"]))

    @work(exit_on_error=False)
    async def action_message(self) -> None:
        """Headers, texts and files of the message as it is sent."""
        data = await self._message()
        if data is not None:
            self.app.push_screen(Pager(_("Message"), message_lines(data)))

    async def _message(self) -> bytes | None:
        try:
            return await self.console.api.read(self._path("message"))
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return None

    @work(exit_on_error=False)
    async def action_sent(self) -> None:
        """Save the file that the message carries."""
        data = await self._message()
        files = attachments(data) if data is not None else []
        if data is not None and not files:
            self.say(_("The message carries no file."))
        for name, content in files:
            await self._save(name, content)

    @work(exit_on_error=False)
    async def action_save(self) -> None:
        """Save the file as it came in."""
        try:
            content = await self.console.api.read(self._path("original"))
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return
        await self._save(str(self.shown["file_name"]), content)

    async def _save(self, name: str, content: bytes) -> None:
        proposed = safe(name).replace("/", "·").lstrip(".") or "document"
        said = await self.app.push_screen_wait(Ask(_("Save into the file:"), value=proposed))
        if not said:
            return
        try:
            await asyncio.to_thread(_write_new, said, content)
        except OSError as error:
            self.say(_("It cannot be saved: {why}.").format(why=error.strerror or error), bad=True)
        else:
            self.say(some(BYTES_SAVED, len(content), name=said))

    # --- acting -------------------------------------------------------------------------------------------

    async def _do(self, path: str, body: dict[str, Any], done: str) -> bool:
        try:
            await self.console.api.post(path, body)
            await self.read_again()
        except GatewayError as error:
            self.say(error.sentence, bad=True)
            return False
        self.say(done)
        return True

    @work(exit_on_error=False)
    async def action_retry(self) -> None:
        """Try the waiting deliveries now."""
        waiting = [each["id"] for each in self.shown["deliveries"] if each["state"] in ("queued", "deferred")]
        if not waiting:
            self.say(_("Nothing waits."))
            return
        done = some(STEERED["retry"], len(waiting))
        await self._do("/queue/retry", {"ids": waiting}, done)

    @work(exit_on_error=False)
    async def action_release(self) -> None:
        """Let it go on, after asking."""
        if await self.app.push_screen_wait(Confirm(some(RELEASE_DOCUMENTS, 1))):
            await self._do(self._path("release"), {}, some(GO_ON, 1))

    @work(exit_on_error=False)
    async def action_cancel(self) -> None:
        """Never send it."""
        question = some(CANCEL_DOCUMENTS, 1)
        if not await self.app.push_screen_wait(Confirm(question)):
            return
        reason = await self.app.push_screen_wait(Ask(_("Reason:")))
        if reason is not None:
            body = {"reason": reason or None}
            await self._do(self._path("cancel"), body, some(CANCELLED, 1))

    @work(exit_on_error=False)
    async def action_resend(self) -> None:
        """Send it again, by the rules or to another address, which may go into the directory too."""
        to = await self.app.push_screen_wait(Ask(_("Send again to (empty: by today's rules):")))
        if to is None:
            return
        if await self._do(self._path("resend"), {"to": to} if to else {}, _("It is sent again.")) and to:
            await self._correct(to)

    async def _correct(self, to: str) -> None:
        """Offer to keep the new address in the directory."""
        number = self.shown["customer_number"]
        if not number or "directory" in self.console.missing:
            return
        api = self.console.api
        try:
            rows = await api.get("/recipients", company=self.shown["company"], number=number)
            fitting = [row for row in rows if row["type"] in (self.shown["type"], "any") and emails(row["email"]) != to]
            if len(fitting) != 1:
                return
            row = fitting[0]
            change = f"{row['number']}: {emails(row['email'])} → {to}"
            if await self.app.push_screen_wait(Confirm(_("Correct the directory too?"), change)):
                await api.patch(path_of("recipients", row["id"]), {"email": to}, row["version"])
                self.say(_("It is sent again.") + " " + _("Saved {number}.").format(number=number))
        except GatewayError as error:
            self.say(error.sentence, bad=True)

    def action_copy(self) -> None:
        """Copy the last reply, or the id."""
        self.console.copy_to_clipboard(self._copied())
        self.say(_("Copied: {text}").format(text=self._copied()))

    def action_select(self) -> None:
        """Show what `y` copies alone on the screen, whole."""
        self.app.push_screen(Pager("", [self._copied()]))

    def _copied(self) -> str:
        replies = [text for each in self.shown["deliveries"] for text in map(reply_text, each["history"]) if text]
        return safe(replies[-1] if replies else self.shown["id"])

    def action_help(self) -> None:
        """The keys of a document."""
        self.app.push_screen(Pager(_("Help") + " · " + _("Documents"), view_help_lines(type(self))))

    def action_command(self) -> None:
        """Show the command lines that do the same."""
        labels = {"": _("Documents")} | {b.action: _(b.description) for b in self.BINDINGS if isinstance(b, Binding)}
        waiting = [each["id"] for each in self.shown["deliveries"] if each["state"] in ("queued", "deferred")]
        lines = command_lines(self.LINES, labels, {"id": self.shown["id"], "delivery": " ".join(waiting)})
        self.app.push_screen(Pager(_("Command lines"), lines))


def _write_new(name: str, content: bytes) -> None:
    """Write a file that is not there yet: nothing is ever overwritten."""
    with open(Path(name).expanduser(), "xb") as file:
        file.write(content)


# --- in lines --------------------------------------------------------------------------------------------


def document_title(shown: Row) -> str:
    """Number, type, parties, state."""
    reading = shown["reading"] or {}
    who = " → ".join(str(reading[name]) for name in ("seller", "buyer") if reading.get(name))
    parts = [shown["number"] or shown["file_name"], type_text(shown["type"]), who, state_word(shown["state"])]
    return " · ".join(str(part) for part in parts if part)


def document_lines(shown: Row) -> list[str | Styled]:
    """Everything that is known of a document."""
    lines: list[str | Styled] = [
        _("received {when} from {source}").format(when=full_time(shown["received_at"]), source=shown["source"])
        + _peer(shown),
        f"{shown['file_name']} · {shown['media_type']} · id {shown['id']} · {shown['company']}",
    ]
    if shown["cause"]:
        lines += [
            "",
            (f"{colon(_('Waits'))} {cause_text(shown['cause'])}", "bold red"),
            f"  {told(shown['sentence'] or '')}",
        ]
    lines += ["", (_("Why this address"), "bold"), *_trace(shown)]
    lines += ["", (_("Deliveries"), "bold"), *_deliveries(shown)]
    lines += ["", (_("Timeline"), "bold"), *_timeline(shown)]
    lines += ["", (_("What was read"), "bold"), *_read(shown)]
    return lines


def _peer(shown: Row) -> str:
    peer = shown["peer"] or {}
    user = f", {peer['user']}" if peer.get("user") else ""
    return f" ({peer.get('host', '')}{user})" if peer.get("host") else ""


RESULTS = {
    "chosen": N_("chosen"),
    "found": N_("found"),
    "lost": N_("lost"),
    "missing": N_("missing"),
    "off": N_("off"),
    "note": N_("note"),
}


def _trace(shown: Row) -> list[str | Styled]:
    lines: list[str | Styled] = []
    for step in shown["trace"]:
        result = str(step.get("result") or "")
        text = f"  {_(RESULTS.get(result, result)):<9}{step_text(step.get('text') or '')}"
        rule = rule_text(str(step.get("rule") or ""))
        lines.append((f"{text}  ← {rule}", "bold") if result == "chosen" else text)
        if step.get("where"):
            lines.append((f"           {where_text(step['where'])}", "dim"))
    if shown["released_by"]:
        lines.append("  " + _("released by {user}").format(user=shown["released_by"]))
    return lines or ["  –"]


def _deliveries(shown: Row) -> list[str | Styled]:
    lines: list[str | Styled] = []
    for each in shown["deliveries"]:
        waits = each["next_attempt_at"] and each["state"] == "deferred"
        then = " · " + _("next try {when}").format(when=full_time(each["next_attempt_at"])) if waits else ""
        role = "" if each["role"] == "to" else f" ({each['role']})"
        text = f"  {state_word(each['state']):<6}{each['recipient']}{role}{then}"
        lines.append((text, state_style(each["state"])))
        for attempt in each["history"]:
            tls = attempt["tls"]
            secured = " · ".join(str(value) for value in tls.values() if value) if isinstance(tls, dict) else tls or ""
            parts = (full_time(attempt["started_at"]), reply_text(attempt), secured)
            lines.append("      " + "  ".join(str(part) for part in parts if part))
    return lines or ["  –"]


def reply_text(attempt: Row) -> str:
    """The reply to an attempt in one line."""
    return " ".join(str(attempt[name]) for name in ("code", "enhanced", "text") if attempt.get(name))


def _timeline(shown: Row) -> list[str | Styled]:
    events = [(shown["received_at"], _("accepted"))]
    for message in shown["messages"]:
        made = _("composed and signed, {size} bytes").format(size=count(message["size"]))
        events.append((message["created_at"], made))
    for delivery in shown["deliveries"]:
        for attempt in delivery["history"]:
            events.append(
                (attempt["ended_at"] or attempt["started_at"], f"{delivery['recipient']}: {reply_text(attempt)}")
            )
    events.append((shown["updated_at"], state_word(shown["state"])))
    events.sort(key=lambda event: str(event[0]))
    return [f"  {full_time(at)}  {text}" for at, text in events]


def _read(shown: Row) -> list[str | Styled]:
    reading = shown["reading"] or {}
    lines: list[str | Styled] = []
    for name, value in reading.items():
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            value = "; ".join(value)
        if isinstance(value, (str, int, float)) and value != "" and name != "notes":
            lines.append(f"  {field_text(name):<18}{type_text(value) if name == 'type' else value}")
    lines += [f"  ! {note_text(note)}" for note in reading.get("notes") or ()]
    return lines or ["  –"]


# --- the message -----------------------------------------------------------------------------------------


def message_lines(data: bytes) -> list[str | Styled]:
    """The headers as they stand, then what each part is and what the texts say."""
    head = data.partition(b"\r\n\r\n")[0] if b"\r\n\r\n" in data else data.partition(b"\n\n")[0]
    lines: list[str | Styled] = []
    signatures: list[str | Styled] = []
    into = lines
    for line in head.decode("utf-8", "replace").splitlines():
        if not line.startswith((" ", "\t")):  # a header begins; signatures are long and stand last
            into = signatures if line.lower().startswith("dkim-signature:") else lines
        into.append(line)
    lines += signatures
    for part in email.message_from_bytes(data, policy=email.policy.default).walk():
        if part.is_multipart():
            continue
        name = part.get_filename() or ""
        content = part.get_payload(decode=True)
        size = len(content) if isinstance(content, bytes) else 0
        lines += ["", (f"{part.get_content_type()} {name} {count(size)} B", "bold")]
        if part.get_content_maintype() == "text" and isinstance(content, bytes) and not name:
            lines += content[:_TEXT_LIMIT].decode(part.get_content_charset("utf-8"), "replace").splitlines()
    return lines


def attachments(data: bytes) -> list[tuple[str, bytes]]:
    """Name and bytes of each file that a message carries."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    found = []
    for part in message.walk():
        content = part.get_payload(decode=True)
        if part.get_filename() and isinstance(content, bytes):
            found.append((str(part.get_filename()), content))
    return found
