"""Deliveries in the store: claimed, recorded, freed; and what a person may do to them."""

from __future__ import annotations

import datetime as dt
import re
import statistics
import time

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from gateway.errors import NotFound, Refused
from gateway.model import Claimed, Outcome, Reply, Result, show_id
from gateway.store import claims, deliveries, messages, schema
from gateway.store.claims import Ended
from gateway.store.deliveries import Filter, Selection
from gateway.store.statement import Statement
from tests.mails import CONTENT, attempts, delivery, document, many, queue_mail, states

BOOT = "boot-2"
HOUR = dt.timedelta(hours=1)
LEASE = dt.timedelta(minutes=20)
OK = Outcome(result=Result.DONE, reply=Reply(code=250, enhanced="2.0.0", text="queued"), peer="relay:25", tls="TLSv1.3")
LATER = Outcome(result=Result.TEMPORARY, reply=Reply(code=450, enhanced="4.2.0", text="greylisted"))
NEVER = Outcome(result=Result.PERMANENT, reply=Reply(code=550, enhanced="5.1.1", text="no such user"))


def claim(c: Connection, now: dt.datetime, limit: int = 10, hop: str = "relay", **values: int) -> list[Claimed]:
    return claims.claim(c, hop, limit, BOOT, now, now + LEASE, **values)


def end(c: Connection, claimed: Claimed, outcome: Outcome, now: dt.datetime, again: dt.datetime | None = None) -> str:
    (recorded,) = claims.record(c, [Ended(claimed=claimed, outcome=outcome, at=now, next_attempt=again)])
    return str(recorded.delivery_state)


# --- claim -------------------------------------------------------------------------------------------------


def test_a_claim_leases_and_opens_an_attempt(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        document_id, (first,) = queue_mail(c, now)
        (claimed,) = claim(c, now)
        row = delivery(c, first)
        assert (row.state, row.due_at, row.attempts, row.leased_by) == ("active", None, 1, BOOT)
        assert row.leased_until == now + LEASE
        assert (claimed.delivery_id, claimed.document_id, claimed.attempts) == (first, document_id, 1)
        assert (claimed.address, claimed.mail_from) == ("to@example.com", f"b+{show_id(first)}@pageroonline.com")
        assert claimed.size == len(CONTENT)
        assert claimed.expires_at == now + dt.timedelta(days=4)
        (attempt,) = attempts(c, first)
        assert (attempt.id, attempt.started_at, attempt.ended_at) == (claimed.attempt_id, now, None)
        assert claim(c, now) == []


def test_a_claim_takes_the_longest_due_of_its_hop(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        _, late = queue_mail(c, now + HOUR)
        _, second = queue_mail(c, now)
        _, first = queue_mail(c, now - HOUR)
        queue_mail(c, now - HOUR, next_hop="other")
        assert [item.delivery_id for item in claim(c, now, limit=1)] == first
        assert [item.delivery_id for item in claim(c, now)] == second
        assert states(c, late) == ["queued"]


def test_a_claim_stops_where_the_bytes_run_out(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        for number in range(5):
            queue_mail(c, now + number * dt.timedelta(seconds=1), content=b"x" * 98 + b"\r\n")
        later = now + HOUR
        assert len(claim(c, later, budget=101)) == 2  # the second one passes it
        assert len(claim(c, later, budget=100)) == 1
        assert len(claim(c, later, budget=1)) == 1


def test_a_paused_hop_gives_nothing_until_its_time(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        queue_mail(c, now)
        deliveries.pause_hop(c, "relay", "anna", "maintenance", now + HOUR, now)
        assert claim(c, now) == []
        assert [due.at for due in claims.due_hops(c, now)] == [now + HOUR]
        assert len(claim(c, now + HOUR)) == 1


def test_a_hop_paused_for_good_gives_nothing_until_resumed(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        queue_mail(c, now)
        deliveries.pause_hop(c, "relay", "anna", "maintenance", None, now)
        assert claim(c, now + 99 * HOUR) == []
        assert claims.due_hops(c, now) == []
        assert deliveries.list_hops(c)[0]["reason"] == "maintenance"
        deliveries.resume_hop(c, "relay")
        assert len(claim(c, now)) == 1
        with pytest.raises(Refused, match="not paused"):
            deliveries.resume_hop(c, "relay")
        with pytest.raises(NotFound):
            deliveries.pause_hop(c, "nowhere", "anna", "", None, now)


def plan(c: Connection, statement: Statement, values: dict[str, object]) -> str:
    rows = Statement(f"EXPLAIN QUERY PLAN {statement.sql}").run(c, values)
    return "\n".join(str(detail) for *_, detail in rows)


def test_claiming_uses_the_partial_index_and_stays_flat(engine: sa.Engine, now: dt.datetime) -> None:
    def median(c: Connection) -> float:
        times = []
        for _ in range(15):
            start = time.perf_counter()
            assert len(claim(c, now + HOUR, limit=4)) == 4
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    with engine.begin() as c:
        many(c, 200, now)
        few = median(c)
        many(c, 100_000, now)
        values = {"owner": "x", "until": 0, "now": 0, "hop": "relay", "limit": 1, "budget": 1}
        assert "USING INDEX delivery_due (next_hop=? AND due_at<?)" in plan(c, claims._CLAIM, values)
        assert not re.search("SCAN delivery|TEMP B-TREE.*LIMIT", plan(c, claims._CLAIM, values))
        lots = median(c)
    print(f"claim of 4: {few * 1000:.2f} ms beside 200, {lots * 1000:.2f} ms beside 100,000")
    assert lots < few * 4 + 0.002


def test_looking_for_work_is_one_index_look_up_per_hop(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        many(c, 50_000, now, next_hop="b")
        many(c, 10, now + HOUR, next_hop="c")
        queue_mail(c, now - HOUR, next_hop="a")
        start = time.perf_counter()
        found = claims.due_hops(c, now)
        took = time.perf_counter() - start
        assert [(due.next_hop, due.at) for due in found] == [("a", now - HOUR), ("b", now), ("c", now + HOUR)]
        steps = plan(c, claims._HOPS, {}).split("\n")
        assert all("INDEX delivery_due" in step for step in steps if "delivery" in step or " d " in step)
        assert not any("TEMP B-TREE" in step for step in steps)
    assert took < 0.02


# --- record ------------------------------------------------------------------------------------------------


def test_a_success_ends_delivery_attempt_and_document(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        document_id, (first,) = queue_mail(c, now)
        (claimed,) = claim(c, now)
        (recorded,) = claims.record(c, [Ended(claimed=claimed, outcome=OK, at=now + HOUR)])
        assert (recorded.delivery_state, recorded.document_state) == ("sent", "sent")
        row = delivery(c, first)
        assert (row.state, row.due_at, row.leased_by, row.leased_until) == ("sent", None, None, None)
        assert row.last_reply == {"code": 250, "enhanced": "2.0.0", "text": "queued"}
        (attempt,) = attempts(c, first)
        assert (attempt.outcome, attempt.code, attempt.enhanced, attempt.text) == ("done", 250, "2.0.0", "queued")
        assert (attempt.peer, attempt.tls, attempt.ended_at) == ("relay:25", "TLSv1.3", now + HOUR)
        assert document(c, document_id) == "sent"


def test_a_temporary_failure_defers_and_keeps_the_document_queued(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        document_id, (first,) = queue_mail(c, now)
        (claimed,) = claim(c, now)
        assert end(c, claimed, LATER, now, now + HOUR) == "deferred"
        row = delivery(c, first)
        assert (row.state, row.due_at, row.leased_until, row.attempts) == ("deferred", now + HOUR, None, 1)
        assert row.last_reply["text"] == "greylisted"
        assert document(c, document_id) == "queued"
        assert claim(c, now) == []
        (again,) = claim(c, now + HOUR)
        assert again.attempts == 2


def test_without_a_next_attempt_a_temporary_failure_bounces(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        document_id, _ = queue_mail(c, now)
        (claimed,) = claim(c, now)
        assert end(c, claimed, LATER, now) == "bounced"
        assert document(c, document_id) == "bounced"


@pytest.mark.parametrize(
    ("to", "cc", "expected"),
    [
        (["sent"], [], "sent"),
        (["sent"], ["sent"], "sent"),
        (["sent"], ["bounced"], "partly_sent"),
        (["sent", "bounced"], [], "partly_sent"),
        (["sent", "cancelled"], [], "partly_sent"),
        (["bounced"], [], "bounced"),
        (["bounced"], ["sent"], "bounced"),
        (["bounced", "cancelled"], ["sent"], "bounced"),
        (["cancelled"], ["cancelled"], "cancelled"),
        (["cancelled"], ["sent"], "cancelled"),
        (["sent", "deferred"], [], None),
        (["sent"], ["deferred"], None),
        (["bounced"], ["active"], None),
        (["sent"], ["held"], None),
        (["queued"], [], None),
        ([], ["sent"], "sent"),
        ([], ["sent", "bounced"], "partly_sent"),
        ([], [], None),
    ],
)
def test_the_document_follows_its_deliveries(to: list[str], cc: list[str], expected: str | None) -> None:
    counts: dict[tuple[str, str], int] = {}
    for role, ended in [("to", state) for state in to] + [("cc", state) for state in cc]:
        counts[role, ended] = counts.get((role, ended), 0) + 1
    assert claims.document_state(counts) == expected


def test_one_address_bounces_while_another_of_the_document_is_sent(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        document_id, ids = queue_mail(c, now, to=["a@example.com"], cc=["b@example.com", "c@example.com"])
        first, second, third = claim(c, now)
        end(c, second, NEVER, now)
        end(c, third, LATER, now, now + HOUR)
        end(c, first, OK, now)
        assert document(c, document_id) == "queued"
        (third,) = claim(c, now + HOUR)
        end(c, third, OK, now)
        assert states(c, ids) == ["sent", "bounced", "sent"]
        assert document(c, document_id) == "partly_sent"


def test_only_the_newest_message_of_a_document_counts(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        document_id, _ = queue_mail(c, now)
        end(c, claim(c, now)[0], NEVER, now)
        assert document(c, document_id) == "bounced"
        old = c.execute(sa.select(schema.message)).one()._mapping
        row = dict(c.execute(sa.select(schema.delivery)).one()._mapping)
        c.execute(sa.insert(schema.message), dict(old) | {"id": old["id"] + 1})
        row |= {"id": row["id"] + 1, "message_id": old["id"] + 1, "state": "queued", "due_at": now}
        c.execute(sa.insert(schema.delivery), row)
        c.execute(sa.update(schema.document).values(state="queued"))
        end(c, claim(c, now)[0], OK, now)
        assert document(c, document_id) == "sent"


# --- leases ------------------------------------------------------------------------------------------------


def test_leases_of_other_boots_are_freed_at_once(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        _, (first,) = queue_mail(c, now)
        claim(c, now)
        assert claims.free_leases(c, BOOT, now) == 0  # its own, in time
        assert claims.free_leases(c, "boot-3", now + dt.timedelta(seconds=1)) == 1
        row = delivery(c, first)
        assert (row.state, row.due_at, row.leased_by) == ("deferred", now + dt.timedelta(seconds=1), None)
        (attempt,) = attempts(c, first)
        assert (attempt.outcome, attempt.possibly_sent, attempt.ended_at is None) == ("interrupted", True, False)
        assert len(claim(c, now + HOUR)) == 1


def test_a_lease_of_its_own_is_freed_when_it_ran_out(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        _, (first,) = queue_mail(c, now)
        claim(c, now)
        assert claims.free_leases(c, BOOT, now + LEASE + HOUR) == 1
        assert states(c, [first]) == ["deferred"]


def test_a_late_success_counts_and_a_late_failure_does_not(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        document_id, (first,) = queue_mail(c, now)
        (claimed,) = claim(c, now)
        claims.free_leases(c, BOOT, now + HOUR)
        assert end(c, claimed, LATER, now, now + 9 * HOUR) == "None"
        assert end(c, claimed, NEVER, now) == "None"
        assert delivery(c, first).due_at == now + HOUR
        assert end(c, claimed, OK, now) == "sent"
        assert document(c, document_id) == "sent"


def test_an_outcome_of_an_older_claim_never_touches_a_newer_one(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        _, (first,) = queue_mail(c, now)
        (old,) = claim(c, now)
        claims.free_leases(c, BOOT, now + HOUR)
        (new,) = claim(c, now + HOUR)
        assert end(c, old, OK, now) == "None"
        assert states(c, [first]) == ["active"]
        assert end(c, new, OK, now) == "sent"


# --- what people see and do --------------------------------------------------------------------------------


def test_the_list_shows_what_is_not_ended(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        document_id, (sent,) = queue_mail(c, now)
        end(c, claim(c, now)[0], OK, now)
        _, (deferred,) = queue_mail(c, now, to=["d@example.com"])
        end(c, claim(c, now)[0], LATER, now, now + HOUR)
        _, (active,) = queue_mail(c, now, to=["e@example.com"])
        claim(c, now)
        _, (held,) = queue_mail(c, now, next_hop="other")
        deliveries.hold(c, Selection(ids=(held,)), now)
        _, (queued,) = queue_mail(c, now + HOUR)
        shown = deliveries.list_deliveries(c, Filter())
        assert [item["id"] for item in shown] == [show_id(i) for i in (queued, held, active, deferred)]
        assert shown[3] == {
            "id": show_id(deferred),
            "document": shown[3]["document"],
            "company": "default",
            "recipient": "d@example.com",
            "role": "to",
            "next_hop": "relay",
            "state": "deferred",
            "cause": None,
            "attempts": 1,
            "next_attempt_at": now + HOUR,
            "expires_at": now + dt.timedelta(days=4),
            "last_reply": {"code": 450, "enhanced": "4.2.0", "text": "greylisted"},
            "updated_at": now,
        }

        def ids(**values: object) -> list[str]:
            return [item["id"] for item in deliveries.list_deliveries(c, Filter(**values))]  # type: ignore[arg-type]

        assert ids(state="sent") == [show_id(sent)]
        assert ids(document=document_id) == [show_id(sent)]
        assert ids(next_hop="other") == [show_id(held)]
        assert ids(cause="by-hand") == [show_id(held)]
        assert ids(address="d@example.com") == [show_id(deferred)]
        assert ids(company="default", limit=2) == [show_id(queued), show_id(held)]
        assert ids(before=held) == [show_id(active), show_id(deferred)]
        assert ids(company="nobody") == []


def test_the_list_by_hop_counts_and_shows_the_last_reply(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        queue_mail(c, now)
        end(c, claim(c, now)[0], LATER, now, now + HOUR)
        queue_mail(c, now + 2 * HOUR)
        queue_mail(c, now, next_hop="other")
        claim(c, now, hop="other")
        other, relay = deliveries.list_hops(c)
        assert (other["next_hop"], other["active"], other["queued"], other["next_attempt_at"]) == ("other", 1, 0, None)
        assert (relay["deferred"], relay["queued"], relay["next_attempt_at"]) == (1, 1, now + HOUR)
        assert relay["last_reply"] == {"code": 450, "enhanced": "4.2.0", "text": "greylisted"}
        assert (relay["paused_by"], other["last_reply"]) == (None, None)


def test_retry_makes_due_now(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        _, (first,) = queue_mail(c, now)
        end(c, claim(c, now)[0], LATER, now, now + HOUR)
        assert deliveries.retry(c, Selection(next_hop="other"), now) == []
        assert deliveries.retry(c, Selection(next_hop="relay"), now) == [first]
        (claimed,) = claim(c, now)
        with pytest.raises(Refused, match="is active"):
            deliveries.retry(c, Selection(ids=(first,)), now)
        end(c, claimed, OK, now)
        with pytest.raises(Refused, match="is sent"):
            deliveries.retry(c, Selection(ids=(first,)), now)
        with pytest.raises(NotFound):
            deliveries.retry(c, Selection(ids=(77,)), now)


def test_hold_and_release_do_not_use_up_the_time_to_live(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        _, (first,) = queue_mail(c, now)
        assert deliveries.hold(c, Selection(ids=(first,)), now) == [first]
        row = delivery(c, first)
        assert (row.state, row.cause, row.due_at) == ("held", "by-hand", None)
        assert claim(c, now + HOUR) == []
        assert deliveries.release(c, Selection(ids=(first,)), now + 200 * HOUR) == [first]
        row = delivery(c, first)
        assert (row.state, row.cause, row.due_at) == ("queued", None, now + 200 * HOUR)
        assert row.expires_at == now + dt.timedelta(days=4) + 200 * HOUR
        with pytest.raises(Refused, match="is queued"):
            deliveries.release(c, Selection(ids=(first,)), now)


def test_cancel_ends_the_delivery_and_its_document(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        document_id, (first, second) = queue_mail(c, now, to=["a@example.com"], cc=["b@example.com"])
        assert deliveries.cancel(c, Selection(ids=(first,)), now) == [first]
        assert document(c, document_id) == "queued"
        deliveries.hold(c, Selection(), now)
        assert deliveries.cancel(c, Selection(company_id=None), now) == [second]
        assert states(c, [first, second]) == ["cancelled", "cancelled"]
        assert document(c, document_id) == "cancelled"
        assert claim(c, now + HOUR) == []
        assert delivery(c, second).cause is None


@pytest.mark.parametrize(("action", "state"), [("cancel", "cancelled"), ("hold", "held")])
def test_what_is_on_its_way_is_stopped_when_it_comes_back(
    engine: sa.Engine, now: dt.datetime, action: str, state: str
) -> None:
    with engine.begin() as c:
        document_id, (first,) = queue_mail(c, now)
        _, (second,) = queue_mail(c, now)
        one, two = claim(c, now)
        assert sorted(getattr(deliveries, action)(c, Selection(next_hop="relay"), now)) == [first, second]
        assert states(c, [first, second]) == ["active", "active"]
        assert end(c, one, LATER, now, now + HOUR) == state
        assert end(c, two, OK, now) == "sent"
        assert delivery(c, first).due_at is None
        assert document(c, document_id) == ("cancelled" if action == "cancel" else "queued")


def test_a_cancelled_one_that_was_interrupted_is_not_tried_again(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        document_id, (first,) = queue_mail(c, now)
        claim(c, now)
        deliveries.cancel(c, Selection(ids=(first,)), now)
        deliveries.hold(c, Selection(next_hop="relay"), now)
        claims.free_leases(c, "boot-3", now)
        assert states(c, [first]) == ["cancelled"]
        assert document(c, document_id) == "cancelled"


def test_the_switch_holds_what_waits_and_what_comes_back(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        _, (waiting,) = queue_mail(c, now)
        _, (by_hand,) = queue_mail(c, now)
        deliveries.hold(c, Selection(ids=(by_hand,)), now)
        (_,) = claim(c, now)
        _, (queued,) = queue_mail(c, now)
        company = delivery(c, queued).company_id
        values = {"company_id": company, "key": "distribution.active", "value": False, "version": 1}
        c.execute(sa.insert(schema.setting), values)
        assert deliveries.hold_for_switch(c, company, now) == 1
        assert (delivery(c, queued).state, delivery(c, queued).cause) == ("held", "distribution-off")
        claims.free_leases(c, "boot-3", now)
        assert (delivery(c, waiting).state, delivery(c, waiting).cause) == ("held", "distribution-off")
        with pytest.raises(Refused, match="switched off"):
            deliveries.release(c, Selection(ids=(by_hand,)), now)
        assert deliveries.release(c, Selection(), now) == []
        c.execute(sa.update(schema.setting).values(value=True))
        assert deliveries.release_for_switch(c, company, now + HOUR) == 2
        assert states(c, [waiting, queued, by_hand]) == ["queued", "queued", "held"]
        assert deliveries.release(c, Selection(), now) == [by_hand]


def test_the_switch_back_on_forgets_what_was_on_its_way(engine: sa.Engine, now: dt.datetime) -> None:
    with engine.begin() as c:
        _, (first,) = queue_mail(c, now)
        (claimed,) = claim(c, now)
        company = delivery(c, first).company_id
        deliveries.hold_for_switch(c, company, now)
        assert deliveries.release_for_switch(c, company, now) == 0
        assert states(c, [first]) == ["active"]
        assert end(c, claimed, LATER, now, now + HOUR) == "deferred"
        assert messages.message_bytes(c, claimed.message_id).startswith(b"From:")
