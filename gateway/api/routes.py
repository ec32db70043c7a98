"""Every request that the admin socket answers, and the function of `gateway.admin` that does it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, cast

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from gateway.admin import (
    audit,
    companies,
    counting,
    documents,
    events,
    health,
    imports,
    queue,
    recipients,
    roles,
    settings,
    status,
)
from gateway.admin.running import Running, refuse_unknown, version_of
from gateway.api.handlers import Handler, answer, change, file, going_on, listing, rows, upload
from gateway.store.audit import Caller


def routes(r: Running) -> list[tuple[str, str, Handler]]:
    """Method, path and handler of every request; the docstrings stand at the functions of `gateway.admin`."""
    return [
        ("GET", "/me", answer(lambda q: _at_once(roles.show(q.state.caller)))),
        ("GET", "/status", answer(lambda _: status.show_status(r))),
        ("GET", "/health", answer(lambda _: health.show_health(r))),
        ("GET", "/metrics", _metrics(r)),
        ("GET", "/events", _events(r)),
        ("GET", "/companies", answer(lambda _: companies.list_companies(r))),
        ("POST", "/companies", change(lambda q, who, body: companies.add_company(r, who, body))),
        ("GET", "/waiting", answer(lambda q: counting.show_waiting(r, q.query_params))),
        ("GET", "/held", answer(lambda q: counting.show_held(r, q.query_params))),
        ("GET", "/choices", answer(lambda _: counting.show_choices(r))),
        *((("GET", f"/{name}/count", _counted(r, name))) for name in ("recipients", "documents", "queue", "audit")),
        ("GET", "/recipients", listing(lambda q: recipients.list_recipients(r, q.query_params))),
        ("POST", "/recipients", change(lambda q, who, body: recipients.add_recipient(r, who, body))),
        ("GET", "/recipients/{id}", answer(lambda q: recipients.show_recipient(r, q.path_params["id"]))),
        ("PATCH", "/recipients/{id}", change(lambda q, who, body: _change_recipient(r, q, who, body))),
        ("DELETE", "/recipients/{id}", change(lambda q, who, body: _delete_recipient(r, q, who))),
        ("GET", "/recipients/{id}/history", answer(lambda q: recipients.show_history(r, q.path_params["id"]))),
        ("POST", "/recipients/{id}/undo", change(lambda q, who, body: _undo_change(r, q, who, body))),
        ("POST", "/imports", upload(lambda q, file: imports.preview(r, q.query_params, file))),
        ("GET", "/imports/{id}", answer(lambda q: imports.show_preview(r, q.path_params["id"]))),
        (
            "GET",
            "/imports/{id}/findings",
            listing(lambda q: imports.list_findings(r, q.path_params["id"], q.query_params)),
        ),
        (
            "GET",
            "/imports/{id}/changes",
            listing(lambda q: imports.list_changes(r, q.path_params["id"], q.query_params)),
        ),
        ("POST", "/imports/{id}/apply", change(lambda q, who, body: imports.apply(r, who, q.path_params["id"]))),
        ("GET", "/batches", listing(lambda q: imports.list_batches(r, q.query_params))),
        ("POST", "/batches/{id}/undo", change(lambda q, who, body: imports.undo(r, who, q.path_params["id"], body))),
        ("GET", "/settings", answer(lambda q: settings.list_settings(r, q.query_params.get("company")))),
        ("GET", "/settings/{key}", answer(lambda q: settings.get_setting(r, *_company_and_key(q)))),
        ("PUT", "/settings/{key}", change(lambda q, who, body: _set_setting(r, q, who, body))),
        ("GET", "/sources", answer(lambda _: _at_once(status.list_sources(r)))),
        ("GET", "/documents", listing(lambda q: documents.list_documents(r, q.query_params))),
        (
            "POST",
            "/documents/release",
            change(lambda q, who, body: _documents(documents.release_documents, r, who, body)),
        ),
        (
            "POST",
            "/documents/cancel",
            change(lambda q, who, body: _documents(documents.cancel_documents, r, who, body)),
        ),
        ("GET", "/documents/{id}", answer(lambda q: documents.show_document(r, q.path_params["id"]))),
        ("GET", "/documents/{id}/trace", answer(lambda q: documents.show_trace(r, q.path_params["id"]))),
        ("GET", "/documents/{id}/original", file(lambda q: documents.show_original(r, q.path_params["id"]))),
        ("GET", "/documents/{id}/message", file(lambda q: documents.show_message(r, q.path_params["id"]))),
        ("GET", "/documents/{id}/text", answer(lambda q: documents.show_text(r, q.path_params["id"]))),
        (
            "POST",
            "/documents/{id}/release",
            change(lambda q, who, body: _one(documents.release_documents, r, q, who, body)),
        ),
        (
            "POST",
            "/documents/{id}/cancel",
            change(lambda q, who, body: _one(documents.cancel_documents, r, q, who, body)),
        ),
        (
            "POST",
            "/documents/{id}/resend",
            change(lambda q, who, body: documents.resend_document(r, who, q.path_params["id"], body)),
        ),
        ("GET", "/queue", listing(lambda q: queue.list_deliveries(r, q.query_params))),
        ("GET", "/queue/hops", answer(lambda _: queue.list_hops(r))),
        ("POST", "/queue/pause", change(lambda q, who, body: queue.pause(r, who, body))),
        ("POST", "/queue/resume", change(lambda q, who, body: queue.resume(r, who, body))),
        ("POST", "/queue/{verb}", change(lambda q, who, body: queue.steer(r, who, q.path_params["verb"], body))),
        ("GET", "/audit", listing(lambda q: audit.list_audit(r, q.query_params))),
        ("GET", "/audit/verify", answer(lambda q: audit.verify_audit(r, q.query_params))),
        ("GET", "/audit/export", rows(lambda q: audit.export_audit(r, q.query_params))),
        ("POST", "/backup", change(lambda q, who, body: status.make_backup(r, who, body))),
    ]


def _counted(running: Running, name: str) -> Handler:
    return answer(lambda q: counting.count(running, name, q.query_params))


def _metrics(running: Running) -> Handler:
    async def handler(request: Request) -> Response:
        return Response(await status.show_metrics(running), media_type="text/plain; version=0.0.4; charset=utf-8")

    return handler


def _events(running: Running) -> Handler:
    async def handler(request: Request) -> Response:
        stream = events.stream(running, request.query_params, request.headers.get("last-event-id"))
        first = await anext(stream)  # what is wrong with the request is answered before the stream begins
        return StreamingResponse(going_on(first, stream), media_type="text/event-stream")

    return handler


async def _at_once(value: Any) -> Any:
    return value


def _change_recipient(r: Running, q: Request, who: Caller, body: Mapping[str, object]) -> Awaitable[Any]:
    fields = {name: value for name, value in body.items() if name != "version"}
    return recipients.change_recipient(r, who, q.path_params["id"], fields, _version(q, body))


def _delete_recipient(r: Running, q: Request, who: Caller) -> Awaitable[Any]:
    return recipients.delete_recipient(r, who, q.path_params["id"], _version(q, {}))


def _undo_change(r: Running, q: Request, who: Caller, body: Mapping[str, object]) -> Awaitable[Any]:
    refuse_unknown(body, ("version",))
    return recipients.undo_change(r, who, q.path_params["id"], _version(q, body))


def _set_setting(r: Running, q: Request, who: Caller, body: Mapping[str, object]) -> Awaitable[Any]:
    return settings.set_setting(r, who, *_company_and_key(q), {**body, "version": _version(q, body)})


def _company_and_key(q: Request) -> tuple[str | None, str]:
    return q.query_params.get("company"), q.path_params["key"]


def _documents(verb: Any, r: Running, who: Caller, body: Mapping[str, object]) -> Awaitable[Any]:
    return cast(Awaitable[Any], verb(r, who, body.get("ids"), body))


def _one(verb: Any, r: Running, q: Request, who: Caller, body: Mapping[str, object]) -> Awaitable[Any]:
    return cast(Awaitable[Any], verb(r, who, [q.path_params["id"]], body))


def _version(request: Request, body: Mapping[str, object]) -> int | None:
    """The version the caller saw: in the body, or as an entity tag in If-Match (RFC 9110 §13.1.1)."""
    tag = request.headers.get("if-match", "").strip()
    return version_of(body["version"] if "version" in body else "" if tag == "*" else tag.strip('"'))
