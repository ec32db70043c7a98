"""A pipeline in this process: real store, real workers, real jobs; and what is handed in to it."""

from __future__ import annotations

import asyncio
import datetime as dt
import email.policy
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from gateway import settings
from gateway.config import Config
from gateway.model import UTC, Canonical, Claimed, Envelope, NewSubmission, Outlet, Recipient, parse_id
from gateway.pipeline import Pipeline
from gateway.recent import Recent
from gateway.store import Store, companies, messages, recipients, submissions, views
from gateway.store import settings as stored_settings
from gateway.store.audit import Caller
from gateway.workers import Pool
from tests.store.samples import submission

OWNER = "this-boot"
WHO = Caller(uid=0, user="root")
NOBODY = Envelope(mail_from="", rcpt_to=())
MAIL = b"From: erp@seller.example\r\nTo: 1042@gateway.example\r\nSubject: s\r\n\r\nno document\r\n"


class Work:
    """A pipeline over `store`, what it has queued, and what it is asked about."""

    def __init__(self, store: Store, pool: Pool, config: Config, owner: str = OWNER, rules: Pool | None = None) -> None:
        self.store, self.pool, self.config = store, pool, config
        self.outlet: Outlet | None = None  # without one no slot is ever free, so everything is stored as due
        self.queued = 0
        self.recent = Recent(1 << 20)
        self.pipeline = Pipeline(
            store,
            pool,
            config,
            owner=owner,
            verp_key=b"k" * 32,
            next_hop=lambda address: f"hop-{address.partition('@')[2]}",
            outlet=Outside(self),
            recent=self.recent,
            rules=rules,
        )

    async def accept(self, new: NewSubmission) -> int:
        """Hand something in."""
        accepted = await self.store.write(submissions.accept, new, new.received_at)
        self.pipeline.wake()
        return accepted.id

    async def documents(self, **wanted: Any) -> list[dict[str, Any]]:
        return await self.store.read(views.list_documents, views.Filter(**wanted))

    async def one(self, state: str) -> dict[str, Any]:
        """The one document, once it is in `state`."""
        (found,) = await self.until(lambda: self.documents(state=state))
        return dict(found)

    async def start(self) -> Work:
        await self.pipeline.start()
        return self

    async def set(self, key: str, value: object) -> None:
        """As a person saves a setting: checked values only."""
        await self.store.write(save_setting, key, value)
        self.pipeline.changed()

    async def add(self, number: str = "1042", **more: Any) -> None:
        """As a person adds a row."""
        await self.store.write(add_row, number, **more)
        self.pipeline.changed()

    async def shown(self, state: str) -> dict[str, Any]:
        """Everything of the one document, once it is in `state`."""
        return await self.store.read(views.show_document, parse_id((await self.one(state))["id"]))

    async def sent(self) -> EmailMessage:
        """The newest message of the one document, once it is queued."""
        return await self.message(await self.one("queued"))

    async def message(self, document: dict[str, Any]) -> EmailMessage:
        """The newest message of a document in a list."""
        shown = await self.store.read(views.show_document, parse_id(document["id"]))
        whole = await self.store.read(messages.message_bytes, parse_id(shown["messages"][-1]["id"]))
        message = email.message_from_bytes(whole, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return message

    async def page_is_made(self) -> bool:
        """Whether the first document has been read and a worker makes its page."""
        return self.pool.jobs >= 2

    async def until(self, look: Callable[[], Any], seconds: float = 10.0) -> Any:
        async with asyncio.timeout(seconds):
            while not (found := await look()):  # noqa: ASYNC110  the store announces nothing
                await asyncio.sleep(0.01)
        return found


class Outside:
    """The queue as the pipeline of `work` sees it: `work.outlet`, chosen by the test."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def reserve(self, next_hop: str, size: int) -> dt.datetime | None:
        return None if self._work.outlet is None else self._work.outlet.reserve(next_hop, size)

    def hand(self, claimed: Claimed, content: Canonical) -> None:
        assert self._work.outlet is not None
        self._work.outlet.hand(claimed, content)

    def give_back(self, next_hop: str, size: int) -> None:
        assert self._work.outlet is not None
        self._work.outlet.give_back(next_hop, size)

    def wake(self) -> None:
        self._work.queued += 1
        if self._work.outlet is not None:
            self._work.outlet.wake()


MakeWork = Callable[..., Awaitable[Work]]


def mail(content: bytes = MAIL, **more: Any) -> NewSubmission:
    return msgspec.structs.replace(submission(dt.datetime.now(UTC), content), **more)


def dropped(content: bytes, name: str = "a.xml", **more: Any) -> NewSubmission:
    return mail(content, channel="folder", source="dropbox", file_name=name, envelope=NOBODY, **more)


def add_row(connection: Connection, /, number: str, **more: Any) -> None:
    """A row of the default company's directory; by default it asks for what costs no rendering."""
    row = msgspec.structs.replace(Recipient(number=number, email=("kund@kopare.example",), format="ubl"), **more)
    recipients.add(connection, companies.company_id(connection, "default"), row, WHO, dt.datetime.now(UTC))


def save_setting(connection: Connection, key: str, value: object) -> None:
    """A setting of the default company."""
    found = settings.find(key, ("invoice", "order"))
    company = companies.company_id(connection, "default")
    stored_settings.save(connection, company, found, value, None, WHO, dt.datetime.now(UTC))


def attached(*files: tuple[str, bytes], **headers: str) -> bytes:
    """A mail with files attached."""
    message = EmailMessage(policy=email.policy.SMTP)
    for name, value in ({"From": "erp@seller.example", "Subject": "s"} | headers).items():
        message[name] = value
    message.set_content("see attachment")
    for name, data in files:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def parts(message: EmailMessage) -> list[tuple[str, str, bytes]]:
    """Name, type and bytes of what is attached to a message."""
    return [
        (str(part.get_filename()), part.get_content_type(), part.get_payload(decode=True))  # type: ignore[misc]
        for part in message.iter_attachments()
    ]
