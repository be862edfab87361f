"""The main process: prepares everything, binds the ports, runs the workers, and puts it all away again."""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
from tornado.netutil import bind_sockets

from run import first_start
from run.accounts import prepare_accounts
from run.settings import Settings
from run.worker import Plan, work
from store.embedded import EmbeddedPostgres
from store.migrate import migrate

try:
    from uvloop import new_event_loop
except ImportError:  # Windows
    from asyncio import new_event_loop

log = logging.getLogger("sottovoce.launch")

CERTIFICATE_CHECK_S = 12 * 3600.0
RESTART_S = 1.0
HERE = str(Path(__file__).parent.parent)  # where a worker finds us, also in a checkout that was never installed
READY = b"ready\n"


def serve(settings: Settings) -> None:
    """Until SIGTERM or SIGINT. Raises click.ClickException for what the operator can mend."""
    with first_start.locked(settings.data_dir), database(settings) as (url, postgres):
        migrate(url)
        plan = prepare(settings, url)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            invite = runner.run(prepare_accounts(settings, url))
            runner.run(_run(plan, postgres, invite))


@contextmanager
def database(settings: Settings) -> Iterator[tuple[str, EmbeddedPostgres | None]]:
    """The URL of the database, which is started here if it is the embedded one, and stopped afterwards."""
    if settings.database_url is not None:
        yield settings.database_url, None
        return
    postgres = EmbeddedPostgres(settings.data_dir)
    postgres.start()
    try:
        yield postgres.url, postgres
    finally:
        postgres.stop()


def prepare(settings: Settings, url: str) -> Plan:
    folder = settings.data_dir
    certificate = first_start.certificate(settings)
    return Plan(
        settings=settings,
        database_url=url,
        jwt_secret=settings.jwt_secret or first_start.kept_secret(folder, "jwt-secret"),
        key_encryption_key=settings.key_encryption_key or first_start.kept_secret(folder, "key-encryption-key"),
        tls_chain=certificate.chain,
        tls_key=certificate.key,
        https_fds=_bind(settings.https_port, settings.https_bind_addr),
        http_fds=_bind(settings.port, settings.bind_addr),
    )


def _bind(port: int | None, address: str) -> list[int]:
    if port is None:
        return []
    try:
        return [bound.detach() for bound in bind_sockets(port, address or None, backlog=4096)]
    except (OSError, socket.gaierror) as error:
        raise click.ClickException(f"cannot listen on {address or '*'}:{port}: {error.strerror}") from error


async def _run(plan: Plan, postgres: EmbeddedPostgres | None, invite: str | None) -> None:
    loop = asyncio.get_running_loop()
    stop, ready = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    keeping = [asyncio.create_task(_renew_certificate(plan.settings), name="certificate")]
    if postgres is not None:
        keeping.append(asyncio.create_task(postgres.supervise(), name="postgres"))
    if plan.settings.workers == 1:
        serving = asyncio.create_task(work(plan, stop, ready), name="worker")
    else:
        serving = asyncio.create_task(_run_workers(plan, stop, ready), name="workers")
    announcing = asyncio.create_task(_announce(plan.settings, ready, invite), name="announce")
    try:
        await serving
    finally:
        for task in (announcing, *keeping):
            task.cancel()
        await asyncio.gather(announcing, *keeping, return_exceptions=True)


async def _announce(settings: Settings, ready: asyncio.Event, invite: str | None) -> None:
    await ready.wait()
    lines = ["Sottovoce is running."]
    if settings.https_port is not None:
        hosts = ["localhost", *(first_start.lan_addresses() if not settings.https_bind_addr else [])]
        lines += [f"  https://{f'[{host}]' if ':' in host else host}:{settings.https_port}/" for host in hosts]
        if settings.tls_cert is None:
            lines.append(f"  Browsers trust it after they import {settings.data_dir / 'tls' / 'ca.pem'}")
    if settings.port is not None:
        lines.append(f"  http://{settings.bind_addr}:{settings.port}/ for programs on this machine")
    if invite is not None:
        lines.append(f"  Invite code for the first account: {invite}")
    lines.append("  More invites: sottovoce invite new. To stop: Ctrl-C")
    click.echo("\n".join(lines))
    if settings.registration == "open":
        log.warning("registration is open to everybody who reaches this server; SOTTOVOCE_REGISTRATION=invite closes it")
    if not settings.rate_limits:
        log.warning("RATE LIMITS ARE OFF: passwords can be guessed without end. This is for benchmarks only")


async def _renew_certificate(settings: Settings) -> None:
    while True:
        await asyncio.sleep(CERTIFICATE_CHECK_S)
        await asyncio.to_thread(first_start.certificate, settings)


async def _run_workers(plan: Plan, stop: asyncio.Event, ready: asyncio.Event) -> None:
    stopped = asyncio.create_task(stop.wait(), name="stop")
    running = [
        asyncio.create_task(_keep_worker(plan, number, stop, stopped, ready), name=f"worker {number}")
        for number in range(plan.settings.workers)
    ]
    try:
        await asyncio.gather(*running)
    finally:
        stopped.cancel()


async def _keep_worker(
    plan: Plan, number: int, stop: asyncio.Event, stopped: "asyncio.Task[bool]", ready: asyncio.Event
) -> None:
    """Run one worker process, and another when it ends before `stop`."""
    while not stop.is_set():
        # Its standard input carries the plan, and then stays open for as long as we live: a worker whose input ends
        # knows that its parent is gone, however it went.
        process = subprocess.Popen(
            [sys.executable, "-m", "run.child"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([HERE, os.environ.get("PYTHONPATH", "")])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[*plan.https_fds, *plan.http_fds],
            start_new_session=True,
        )
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(msgspec.json.encode(plan) + b"\n")
        process.stdin.flush()
        said = await asyncio.to_thread(process.stdout.readline)
        if said == READY:
            ready.set()
            ended = asyncio.create_task(asyncio.to_thread(process.wait), name=f"end of worker {number}")
            await asyncio.wait([ended, stopped], return_when=asyncio.FIRST_COMPLETED)
        process.stdin.close()  # drains it
        await asyncio.to_thread(process.wait)
        process.stdout.close()
        if not stop.is_set():
            log.error("worker %d ended with code %s, starting another", number, process.returncode)
            await asyncio.sleep(RESTART_S)
