"""A worker in a child process.

It reads its plan from standard input, writes READY to standard output when it serves, and drains at the end of input.
"""

import asyncio
import signal
import sys

import uvloop

from run.logging import set_up_logs
from run.process.supervisor import READY
from run.process.worker import WorkerPlan, run_worker


async def _run(plan: WorkerPlan) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)

    def parent_ended() -> None:
        loop.remove_reader(sys.stdin.fileno())  # a closed pipe stays readable
        stop.set()

    def announce() -> None:
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()

    loop.add_reader(sys.stdin.fileno(), parent_ended)
    await run_worker(plan, stop, announce)


def main() -> None:
    """Run the worker that standard input describes."""
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as unbuffered:  # reads only the first line
        plan = WorkerPlan.decode(unbuffered.readline())
    set_up_logs(plan.settings.log_level)
    uvloop.run(_run(plan))


if __name__ == "__main__":
    main()
