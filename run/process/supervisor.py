"""Supervise worker processes: start each, restart it when it ends, and drain it at the end.

States of a worker: starting (until it writes READY), serving, draining (its standard input is closed), ended. A worker
that ends before `stop` is replaced after RESTART_S. A worker that drains for longer than WORKER_END_S is killed.
"""

import asyncio
import logging
import os
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import Callable
from pathlib import Path

from run.process.worker import WorkerPlan

log = logging.getLogger("sottovoce.process")

RESTART_S = 1.0
WORKER_END_S = 30.0  # longer than a worker may take to drain
HERE = str(Path(__file__).parent.parent.parent)  # import path, for a checkout that is not installed
READY = b"ready\n"  # what a worker writes to its standard output when it serves


async def supervise_workers(plan: WorkerPlan, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
    """Run all workers until `stop`. Call `on_ready` when the first one serves."""
    waiting = [on_ready]  # empty once called

    def ready() -> None:
        if waiting:
            waiting.pop()()

    await asyncio.gather(*(_keep_worker(plan, number, stop, ready) for number in range(plan.settings.workers)))


async def _keep_worker(plan: WorkerPlan, number: int, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
    """Run one worker process, and replace it if it ends before `stop`."""
    while not stop.is_set():
        process = await _start_worker(plan)
        draining = asyncio.create_task(_drain(process, stop), name=f"drain worker {number}")
        try:
            if await _output(process).readline() == READY:
                on_ready()
            code = await process.wait()
        finally:
            draining.cancel()
        if not stop.is_set():
            log.error("worker %d ended with code %s, starting another", number, code)
            await asyncio.sleep(RESTART_S)


async def _drain(process: Process, stop: asyncio.Event) -> None:
    """Close the worker's standard input at `stop`, and kill the worker if it then does not end in time."""
    await stop.wait()
    _input(process).close()
    await asyncio.sleep(WORKER_END_S)
    process.kill()


async def _start_worker(plan: WorkerPlan) -> Process:
    """Start a worker process and send it the plan.

    Its standard input stays open while this process runs. If this process dies, the input ends and the worker drains.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "run.process.child"),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [HERE, os.environ.get("PYTHONPATH")]))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[*plan.https_fds, *plan.http_fds],
        start_new_session=True,
    )
    _input(process).write(plan.encode() + b"\n")
    return process


def _input(process: Process) -> asyncio.StreamWriter:
    assert process.stdin is not None
    return process.stdin


def _output(process: Process) -> asyncio.StreamReader:
    assert process.stdout is not None
    return process.stdout
