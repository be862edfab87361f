"""Supervise worker processes: start each, restart it when it ends, and drain it at the end.

States of a worker: starting (until it writes READY), serving, draining (its standard input is closed), ended. A worker
that ends before `stop` is replaced after RESTART_S. A worker that drains for longer than WORKER_END_S is killed.
"""

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path

from run.process.worker import WorkerPlan

log = logging.getLogger("sottovoce.process")

RESTART_S = 1.0
POLL_S = 0.05
WORKER_END_S = 30.0  # longer than a worker may take to drain
HERE = str(Path(__file__).parent.parent.parent)  # import path, for a checkout that is not installed
READY = b"ready\n"  # what a worker writes to its standard output when it serves


async def supervise_workers(plan: WorkerPlan, stop: asyncio.Event, ready: asyncio.Event) -> None:
    """Run all workers until `stop`. Set `ready` when the first one serves."""
    await asyncio.gather(*(_keep_worker(plan, number, stop, ready) for number in range(plan.settings.workers)))


async def _keep_worker(plan: WorkerPlan, number: int, stop: asyncio.Event, ready: asyncio.Event) -> None:
    """Run one worker process, and replace it if it ends before `stop`."""
    while not stop.is_set():
        process = _start_worker(plan)
        assert process.stdin is not None
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        while process.poll() is None and not stop.is_set():
            if not ready.is_set() and process.stdout.read() == READY:
                ready.set()
            await asyncio.sleep(POLL_S)
        process.stdin.close()  # the worker drains
        deadline = asyncio.get_running_loop().time() + WORKER_END_S
        while process.poll() is None:
            if asyncio.get_running_loop().time() > deadline:
                process.kill()
            await asyncio.sleep(POLL_S)
        process.stdout.close()
        if not stop.is_set():
            log.error("worker %d ended with code %s, starting another", number, process.returncode)
            await asyncio.sleep(RESTART_S)


def _start_worker(plan: WorkerPlan) -> "subprocess.Popen[bytes]":
    """Start a worker process and send it the plan.

    Its standard input stays open while this process runs. If this process dies, the input ends and the worker drains.
    """
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "run.process.child"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [HERE, os.environ.get("PYTHONPATH")]))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=[*plan.https_fds, *plan.http_fds],
        start_new_session=True,
    )
    assert process.stdin is not None
    process.stdin.write(plan.encode() + b"\n")
    process.stdin.flush()
    return process
