"""The pool against real processes: whatever a job does ends that job only."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import Refused, Temporary, Unconvertible, Unreadable
from gateway.workers import Died, Pool, wire

HERE = str(Path(__file__).parent)
JOBS = "jobs_for_tests:"
MIB = 1 << 20


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for a condition that no event announces: another process's doing."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def lives(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


MakePool = Callable[..., Awaitable[Pool]]


@pytest.fixture
async def make_pool() -> AsyncIterator[MakePool]:
    pools: list[Pool] = []

    async def make(count: int = 2, **options: Any) -> Pool:
        pool = Pool(count, path=[HERE], **options)
        pools.append(pool)
        pool.start()
        await until(lambda: pool.started == count)
        return pool

    yield make
    for pool in pools:
        pids = pool.pids
        await pool.close()
        assert not [pid for pid in pids if lives(pid)]


async def napping(pool: Pool, folder: Path, **options: Any) -> tuple[asyncio.Task[Any], int]:
    """A job that hangs, and the pid of its worker."""
    before = set(os.listdir(folder))
    task = asyncio.create_task(pool.run(JOBS + "nap", str(folder), **options))
    await until(lambda: set(os.listdir(folder)) > before)
    return task, int((set(os.listdir(folder)) - before).pop())


# --- good jobs ---


async def test_values_and_bytes_go_there_and_back(make_pool: MakePool) -> None:
    pool = await make_pool()
    value, blob = await pool.run(
        JOBS + "echo", "Köpare", 7, 2.5, None, True, [1], {"a": "b"}, b"\xff\x00", blob=b"\x00\r\n"
    )
    assert value == ["Köpare", 7, 2.5, None, True, [1], {"a": "b"}, "ff00"]
    assert blob == b"\x00\r\n"
    assert pool.jobs == 1


async def test_a_job_without_a_blob_gets_empty_bytes(make_pool: MakePool) -> None:
    pool = await make_pool(1)
    assert await pool.run(JOBS + "large", 0) == (0, b"y" * 0)


@pytest.mark.parametrize("size", [wire.INLINE, wire.INLINE + 1, 100 * MIB])
async def test_large_blobs_go_by_memfd_unchanged(make_pool: MakePool, size: int) -> None:
    pool = await make_pool(1)
    blob = os.urandom(1 << 10) * (size // (1 << 10) + 1)
    _, answer = await pool.run(JOBS + "echo", blob=blob[:size])
    assert answer == blob[:size]


async def test_a_blob_above_the_limit_is_refused_before_a_worker_sees_it(make_pool: MakePool) -> None:
    pool = await make_pool(1)
    with pytest.raises(Refused):
        await pool.run(JOBS + "echo", blob=bytes(wire.BLOB_LIMIT + 1))
    assert pool.jobs == 0


async def test_jobs_start_first_in_first_out(make_pool: MakePool) -> None:
    pool = await make_pool(1)
    ended: list[int] = []

    async def job(number: int) -> None:
        await pool.run(JOBS + "echo", number)
        ended.append(number)

    await asyncio.gather(*(job(number) for number in range(40)))
    assert ended == list(range(40))


async def test_counts_of_busy_and_waiting(make_pool: MakePool, tmp_path: Path) -> None:
    pool = await make_pool(1)
    task, _ = await napping(pool, tmp_path)
    waiting = asyncio.create_task(pool.run(JOBS + "echo"))
    await until(lambda: pool.waiting == 1)
    assert (pool.started, pool.busy) == (1, 1)
    task.cancel()
    await waiting
    assert (pool.busy, pool.waiting) == (0, 0)


# --- errors of the job ---


async def test_our_errors_come_back_as_themselves_and_the_worker_stays(make_pool: MakePool) -> None:
    pool = await make_pool(1)
    pids = pool.pids
    with pytest.raises(Unreadable) as unreadable:
        await pool.run(JOBS + "unreadable")
    assert unreadable.value.cause == "encrypted"
    assert unreadable.value.sentence == r"The file is encrypted  [31m with a password \udcff."
    with pytest.raises(Unconvertible) as unconvertible:
        await pool.run(JOBS + "unconvertible")
    assert (unconvertible.value.term, unconvertible.value.sentence) == ("BT-10", "There is no buyer reference.")
    for field in (None, "email"):
        with pytest.raises(Refused) as refused:
            await pool.run(JOBS + "refused", field)
        assert (refused.value.sentence, refused.value.field) == ("No such thing.", field)
    assert pool.pids == pids
    assert sum(pool.died.values()) == 0


async def test_another_exception_is_a_crash_and_is_logged_escaped(
    make_pool: MakePool, caplog: pytest.LogCaptureFixture
) -> None:
    pool = await make_pool(1)
    with pytest.raises(Died) as died:
        await pool.run(JOBS + "broken")
    assert died.value.reason == "crash"
    assert isinstance(died.value, Temporary)
    assert "secret" not in died.value.sentence
    line = caplog.records[-1].getMessage()
    assert "KeyError" in line
    assert "jobs_for_tests.py" in line
    assert "\x1b" not in line
    assert "\n" not in line


@pytest.mark.parametrize("job", ["unanswerable", "exit_politely"])
async def test_an_answer_that_cannot_be_given_is_a_crash(make_pool: MakePool, job: str) -> None:
    pool = await make_pool(1)
    with pytest.raises(Died, match="unexpectedly"):
        await pool.run(JOBS + job)
    assert await pool.run(JOBS + "echo", 1) == ([1], b"")


async def test_a_value_above_its_limit_is_a_crash(make_pool: MakePool) -> None:
    pool = await make_pool(1)
    with pytest.raises(Died):
        await pool.run(JOBS + "wide", wire.BODY_LIMIT)
    value, _ = await pool.run(JOBS + "wide", wire.BODY_LIMIT - 200)
    assert len(value) == wire.BODY_LIMIT - 200


# --- hangs, bombs, crashes ---


async def test_a_hang_is_killed_in_time_while_its_neighbour_works(make_pool: MakePool, tmp_path: Path) -> None:
    pool = await make_pool(2)
    begun = time.monotonic()
    task, pid = await napping(pool, tmp_path, timeout=1.0)
    done = 0
    while not task.done():
        await pool.run(JOBS + "echo", blob=b"x" * 75_000)
        done += 1
    with pytest.raises(Died) as died:
        await task
    assert died.value.reason == "timeout"
    assert 0.9 < time.monotonic() - begun < 2.5
    assert done > 50
    await until(lambda: not lives(pid))
    await until(lambda: pool.started == 2)
    assert pool.died == {"timeout": 1, "memory": 0, "crash": 0}


async def test_cpu_time_is_limited_per_job(make_pool: MakePool) -> None:
    pool = await make_pool(1)
    await pool.run(JOBS + "echo", cpu=1)
    begun = time.process_time()
    with pytest.raises(Died) as died:
        await pool.run(JOBS + "spin", timeout=20, cpu=0.1)
    assert died.value.reason == "timeout"
    assert time.process_time() - begun < 1


async def test_what_a_job_started_dies_with_it(make_pool: MakePool, tmp_path: Path) -> None:
    pool = await make_pool(1)
    task = asyncio.create_task(pool.run(JOBS + "child", str(tmp_path)))
    await until(lambda: bool(os.listdir(tmp_path)))
    grandchild = int(os.listdir(tmp_path)[0])
    task.cancel()
    await until(lambda: not lives(grandchild))


@pytest.mark.parametrize("job", ["bomb", "native_bomb"])
async def test_a_memory_bomb_is_told_from_a_crash(make_pool: MakePool, job: str) -> None:
    pool = await make_pool(1, memory=200 * MIB)
    with pytest.raises(Died) as died:
        await pool.run(JOBS + job)
    assert died.value.reason == "memory"
    assert await pool.run(JOBS + "echo", 1) == ([1], b"")


async def test_a_job_that_does_not_fit_in_is_a_matter_of_memory(make_pool: MakePool) -> None:
    pool = await make_pool(1, memory=100 * MIB)
    with pytest.raises(Died) as died:
        await pool.run(JOBS + "large", 1, blob=bytes(90 * MIB))
    assert died.value.reason == "memory"


@pytest.mark.parametrize("job", ["leave", "segfault"])
async def test_a_crash_costs_its_job_only(make_pool: MakePool, job: str) -> None:
    pool = await make_pool(2)
    neighbour = asyncio.gather(*(pool.run(JOBS + "echo", number) for number in range(100)))
    with pytest.raises(Died) as died:
        await pool.run(JOBS + job)
    assert died.value.reason == "crash"
    assert len(await neighbour) == 100
    await until(lambda: pool.started == 2)


async def test_a_worker_that_closes_its_socket_is_killed(make_pool: MakePool) -> None:
    pool = await make_pool(1)
    (pid,) = pool.pids
    with pytest.raises(Died):
        await pool.run(JOBS + "deaf")
    await until(lambda: not lives(pid))


async def test_killing_all_workers_fails_their_jobs_and_the_pool_recovers(make_pool: MakePool, tmp_path: Path) -> None:
    pool = await make_pool(2)
    tasks = [(await napping(pool, tmp_path))[0] for _ in range(2)]
    waiting = asyncio.create_task(pool.run(JOBS + "echo", 1))
    for pid in pool.pids:
        os.kill(pid, signal.SIGKILL)
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(result, Died)
        assert result.reason == "crash"
    assert await waiting == ([1], b"")


async def test_an_idle_worker_that_was_killed_gets_no_job(make_pool: MakePool) -> None:
    pool = await make_pool(1)
    await pool.run(JOBS + "echo")
    (pid,) = pool.pids
    os.kill(pid, signal.SIGKILL)
    while lives(pid):  # the pool cannot hear of it meanwhile
        os.sched_yield()
    assert await pool.run(JOBS + "echo", 1) == ([1], b"")


async def test_a_dead_zygote_takes_its_workers_along_and_is_replaced(make_pool: MakePool) -> None:
    pool = await make_pool(2)
    pids = pool.pids
    with pytest.raises(Died):
        await pool.run(JOBS + "stop_zygote")
    await until(lambda: not [pid for pid in pids if lives(pid)])
    assert await pool.run(JOBS + "echo", 1) == ([1], b"")
    await until(lambda: pool.started == 2)


async def test_a_zygote_that_does_not_obey_is_replaced(
    make_pool: MakePool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.workers.pool._OBEDIENCE", 0.3)
    pool = await make_pool(1)
    zygote = pool._forkserver.pid
    assert zygote is not None
    task, pid = await napping(pool, tmp_path)
    os.kill(zygote, signal.SIGSTOP)
    task.cancel()
    await until(lambda: not lives(zygote) and not lives(pid))
    assert await pool.run(JOBS + "echo", 1) == ([1], b"")


async def test_without_descriptors_nothing_dies_and_the_pool_recovers(make_pool: MakePool) -> None:
    pool = await make_pool(1)
    await pool.run(JOBS + "echo")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, most[1]))  # what is open stays
        with pytest.raises(Temporary) as error:
            await pool.run(JOBS + "echo", blob=bytes(wire.INLINE + 1))
        assert not isinstance(error.value, Died)
        await until(lambda: not pool.started and not pool._workers)  # the replacement cannot be had
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, most)
    assert await pool.run(JOBS + "echo", 1) == ([1], b"")


# --- answers of a worker that was broken into ---

_HEADER = struct.Struct("!4sIIQ?")


def message(body: bytes, job: int = 1) -> bytes:
    return _HEADER.pack(b"GWJ1", job, len(body), 0, False) + body


@pytest.mark.parametrize(
    "words",
    [
        b"x" * 100,
        b"GWJ1",
        message(b'{"kind":"value"}', job=2),  # another job's number
        _HEADER.pack(b"GWJ1", 1, wire.BODY_LIMIT + 1, 0, False),
        _HEADER.pack(b"GWJ1", 1, 2, wire.BLOB_LIMIT + 1, False),
        _HEADER.pack(b"GWJ1", 1, 2, 10, True) + b"{}",  # a memory file that is not there
        message(b"{}"),
        message(b"\x80\x04\x95pickl"),
        message(b"[" * 100_000),
        message(b'{"kind":"other"}'),
        message(b'{"kind":"Unreadable"}'),
        message(b'{"kind":"Unreadable","words":["../x","y"]}'),
        message(b'{"kind":"exception"}'),
    ],
)
async def test_garbage_is_a_crash_and_ends_the_worker(make_pool: MakePool, words: bytes) -> None:
    pool = await make_pool(1)
    (pid,) = pool.pids
    with pytest.raises(Died) as died:
        await pool.run(JOBS + "say", words, timeout=5)
    assert died.value.reason == "crash"
    await until(lambda: not lives(pid))


@pytest.mark.parametrize("kind", ["pipe", "file", "unsealed"])
async def test_only_a_sealed_memory_file_is_read(make_pool: MakePool, kind: str) -> None:
    pool = await make_pool(1)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(Died) as died:
        await pool.run(JOBS + "pass_descriptor", kind, timeout=5)
    assert died.value.reason == "crash"
    await until(lambda: pool.started == 1)
    assert len(os.listdir("/proc/self/fd")) == before


async def test_a_second_answer_is_never_taken_for_the_next_job(make_pool: MakePool) -> None:
    pool = await make_pool(1)
    body = b'{"kind":"value"}'
    answers = message(body, 1) + message(body, 2)
    await pool.run(JOBS + "say", answers)
    assert await pool.run(JOBS + "echo", 5) == ([5], b"")


# --- what a worker has ---


async def test_limits_and_descriptors_of_a_worker(make_pool: MakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_SECRET", "x")
    pool = await make_pool(1, memory=300 * MIB)
    value, _ = await pool.run(JOBS + "who")
    assert (value["memory"], value["core"], value["file"], value["files"]) == (300 * MIB, 0, wire.BLOB_LIMIT, 64)
    assert 20 <= value["cpu"] <= 22
    assert value["no_new_privs"] == "1"
    opened = sorted(link.partition(":")[0] for link in value["fds"].values())
    assert opened == ["/dev/null", "/dev/null", "/dev/null", "socket"]
    assert "GATEWAY_SECRET" not in value["environment"]
    assert not {"lxml", "pypdfium2", "sqlalchemy", "aiosmtpd"} & set(value["modules"])


async def test_a_worker_writes_no_large_file(make_pool: MakePool, tmp_path: Path) -> None:
    pool = await make_pool(1)
    with pytest.raises(Died):
        await pool.run(JOBS + "write_file", str(tmp_path / "out"))
    assert (tmp_path / "out").stat().st_size <= wire.BLOB_LIMIT


@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace of its own needs privilege")
async def test_a_worker_has_no_network_where_that_can_be_had(make_pool: MakePool) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    async with server:
        pool = await make_pool(1)
        with pytest.raises(Died):
            await pool.run(JOBS + "connect", *server.sockets[0].getsockname())


async def test_preloaded_modules_are_there_before_the_first_job(make_pool: MakePool) -> None:
    pool = await make_pool(1, preload=["colorsys"])
    value, _ = await pool.run(JOBS + "who")
    assert "colorsys" in value["modules"]


async def test_workers_are_recycled_after_so_many_jobs(make_pool: MakePool) -> None:
    pool = await make_pool(1, recycle=5)
    pids = [(await pool.run(JOBS + "who"))[0]["pid"] for _ in range(11)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [5, 5, 1]
    assert pool.recycled == 2


async def test_a_worker_that_grew_large_is_recycled(make_pool: MakePool) -> None:
    pool = await make_pool(1, large=60 * MIB)
    (pid,) = pool.pids
    await pool.run(JOBS + "echo")
    assert pool.pids == (pid,)
    await pool.run(JOBS + "grow", 80 * MIB)
    await until(lambda: pool.started == 1)
    assert pool.recycled == 1
    assert pool.pids != (pid,)


# --- cancelling, closing, leaking ---


async def test_a_cancelled_job_is_killed_and_a_cancelled_wait_is_forgotten(make_pool: MakePool, tmp_path: Path) -> None:
    pool = await make_pool(1)
    task, pid = await napping(pool, tmp_path)
    waits = [asyncio.create_task(pool.run(JOBS + "echo")) for _ in range(3)]
    await until(lambda: pool.waiting == 3)
    waits[0].cancel()
    task.cancel()
    await until(lambda: not lives(pid))
    await asyncio.gather(*waits[1:])
    assert waits[0].cancelled()
    assert pool.waiting == 0
    assert sum(pool.died.values()) == 0


async def test_cancelling_at_any_moment_loses_no_worker(make_pool: MakePool) -> None:
    pool = await make_pool(2)
    for turns in range(60):
        task = asyncio.create_task(pool.run(JOBS + "echo", blob=b"x" * 300_000))
        for _ in range(turns // 3):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await until(lambda: pool.started == 2)
    assert (pool.busy, pool.waiting) == (0, 0)
    assert await asyncio.gather(*(pool.run(JOBS + "echo", 1) for _ in range(4))) == [([1], b"")] * 4


async def test_descriptors_do_not_leak(make_pool: MakePool) -> None:
    pool = await make_pool(2, recycle=10)
    await pool.run(JOBS + "echo")
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))
    for number in range(60):
        await pool.run(JOBS + "echo", blob=b"x" * 300_000)
        if number % 10 == 0:
            with pytest.raises(Died):
                await pool.run(JOBS + "leave")
    await until(lambda: pool.started == 2)
    assert len(os.listdir("/proc/self/fd")) == before


async def test_close_ends_jobs_that_run_and_wait_with_a_temporary_error(make_pool: MakePool, tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    pool = await make_pool(1)
    task, pid = await napping(pool, tmp_path)
    waiting = asyncio.create_task(pool.run(JOBS + "echo"))
    await until(lambda: pool.waiting == 1)
    await pool.close()
    assert not lives(pid)
    for result in await asyncio.gather(task, waiting, return_exceptions=True):
        assert type(result) is Temporary
    with pytest.raises(Temporary):
        await pool.run(JOBS + "echo")
    assert len(os.listdir("/proc/self/fd")) == before


async def test_ready_says_when_no_worker_can_start() -> None:
    pool = Pool(1, preload=["no_such_module"])
    pool.start()
    try:
        with pytest.raises(Temporary, match="No worker process"):
            await pool.ready(timeout=0.5)
    finally:
        await pool.close()


def test_a_pool_started_before_there_is_a_loop_works() -> None:
    async def use(pool: Pool) -> Any:
        await pool.ready()
        answer = await pool.run(JOBS + "echo", 1)
        await pool.close()
        return answer

    pool = Pool(1, path=[HERE])
    pool.start()
    assert asyncio.run(use(pool)) == ([1], b"")


# --- the daemon's death, and its cleanliness ---

_DAEMON = """
import asyncio, sys
from gateway.workers import Pool

async def main():
    pool = Pool(2, path=[sys.argv[1]])
    pool.start()
    await pool.ready()
    await pool.run("jobs_for_tests:echo", blob=bytes(300_000))
    tasks = [asyncio.create_task(pool.run("jobs_for_tests:" + name, *args)) for name, args in
             (("nap", (sys.argv[2],)), ("spin", ()))]
    heavy = [name for name in ("lxml", "pypdfium2", "sqlalchemy", "multiprocessing", "pickle") if name in sys.modules]
    while pool.busy < 2:
        await asyncio.sleep(0)
    print(*pool.pids, pool._forkserver.pid, *heavy, flush=True)
    await asyncio.gather(*tasks)

asyncio.run(main())
"""


@pytest.mark.parametrize("victim", ["daemon", "zygote"])
async def test_workers_end_with_their_parent_even_when_it_is_killed(tmp_path: Path, victim: str) -> None:
    daemon = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", _DAEMON, HERE, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert daemon.stdout is not None
    with daemon.stdout:
        words = daemon.stdout.readline().split()
    *workers, zygote = [int(word) for word in words if word.isdigit()]
    assert [word for word in words if not word.isdigit()] == []  # the daemon has imported nothing heavy
    assert all(lives(pid) for pid in [*workers, zygote])
    os.kill(daemon.pid if victim == "daemon" else zygote, signal.SIGKILL)
    await until(lambda: not [pid for pid in workers if lives(pid)])
    daemon.kill()
    daemon.wait()
    await until(lambda: not lives(zygote))
