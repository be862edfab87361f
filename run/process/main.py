"""The main process: start the database, migrate it, bind the ports, and run the workers.

With one worker, the worker runs in this process. With several, each is a child process (supervisor.py). SIGTERM and
SIGINT set `stop`: the workers drain, then the embedded PostgreSQL stops, then the lock of the data folder is released.
"""

import asyncio
import logging
import resource
import signal
import socket
import sys
from contextlib import suppress

import click
import uvloop
from tornado.netutil import bind_sockets

from run.config import data_folder
from run.config.settings import Settings
from run.operator import prepare_accounts
from run.process.database import bring_up_to_date, running_database, wait_for
from run.process.supervisor import supervise_workers
from run.process.worker import WorkerPlan, run_worker
from run.tls import certificate
from store.database.embedded import EmbeddedPostgres

log = logging.getLogger("sottovoce.process")

CERTIFICATE_CHECK_S = 12 * 3600.0
OPEN_FILES = 65_536  # soft limit where the hard limit is infinite
UNACKNOWLEDGED_MS = 60_000  # TCP closes a connection if sent data stays unacknowledged for this long


def serve(settings: Settings) -> None:
    """Run the server until SIGTERM or SIGINT.

    Raises click.ClickException for an error that the operator can correct.
    """
    # Until the event loop installs its handlers, SIGTERM unwinds the stack as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    _raise_open_files()
    with data_folder.locked(settings.data_dir), running_database(settings) as (url, postgres):
        wait_for(url)
        bring_up_to_date(url)
        plan = prepare(settings, url)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            invite = runner.run(prepare_accounts(settings, url))
            runner.run(_run(plan, postgres, invite))
    log.info("stopped")


def prepare(settings: Settings, url: str) -> WorkerPlan:
    """Bind the ports, and load or generate the certificate and the secrets. Raises click.ClickException."""
    folder = settings.data_dir
    try:
        served = certificate.certificate(settings)
    except ValueError as error:
        raise click.ClickException(f"the files in {folder / 'tls'} are damaged, restore or delete them") from error
    return WorkerPlan(
        settings=settings,
        database_url=url,
        jwt_secret=settings.jwt_secret or data_folder.stored_secret(folder, "jwt-secret"),
        key_encryption_key=settings.key_encryption_key or data_folder.stored_secret(folder, "key-encryption-key"),
        tls_chain=served.chain,
        tls_key=served.key,
        https_fds=_bind(settings.https_port, settings.https_bind_addr),
        http_fds=_bind(settings.port, settings.bind_addr),
    )


def _raise_open_files() -> None:
    """Raise the soft limit of open files, usually 1,024, because each socket needs one. Workers inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else OPEN_FILES
    with suppress(ValueError, OSError):  # macOS refuses some values below its own hard limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _bind(port: int | None, address: str) -> list[int]:
    if port is None:
        return []
    try:
        bound = bind_sockets(port, address or None, backlog=4096)
    except (OSError, socket.gaierror) as error:
        raise click.ClickException(f"cannot listen on {address or '*'}:{port}: {error.strerror}") from error
    for listener in bound:
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # Accepted connections inherit it (tcp(7)).
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
    return [listener.detach() for listener in bound]


async def _run(plan: WorkerPlan, postgres: EmbeddedPostgres | None, invite: str | None) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    keeping = [asyncio.create_task(_renew_certificate(plan.settings), name="certificate")]
    if postgres is not None:
        keeping.append(asyncio.create_task(postgres.supervise(), name="postgres"))
    for task in keeping:
        task.add_done_callback(_log_failure)
    run = run_worker if plan.settings.workers == 1 else supervise_workers
    try:
        await run(plan, stop, lambda: _announce(plan.settings, invite))
    finally:
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)


def _log_failure(task: "asyncio.Task[None]") -> None:
    """Report a background task that failed. The server goes on without it."""
    if not task.cancelled() and task.exception() is not None:
        log.error("the task %s failed", task.get_name(), exc_info=task.exception())


def _announce(settings: Settings, invite: str | None) -> None:
    lines = ["Sottovoce is running."]
    if settings.https_port is not None:
        lines += [f"  https://{_host(host)}:{settings.https_port}/" for host in _host_names(settings)]
        if settings.tls_cert is None:
            lines.append(f"  Browsers trust it after they import {settings.data_dir / 'tls' / 'ca.pem'}")
    if settings.port is not None:
        lines.append(f"  http://{_host(settings.bind_addr)}:{settings.port}/ for programs on this machine")
    if invite is not None:
        lines.append(f"  Invite code for the first account: {invite}")
    lines.append("  To create an invite: sottovoce invite new. To stop: Ctrl-C")
    with suppress(OSError):  # a closed pipe or a full disk does not stop the server
        click.echo("\n".join(lines))
    if settings.registration == "open":
        log.warning(
            "anyone who can reach this server can register; to require an invite, set SOTTOVOCE_REGISTRATION=invite"
        )
    if not settings.rate_limits:
        log.warning("rate limits are off, so passwords can be guessed without limit; use this for benchmarks only")


def _host_names(settings: Settings) -> list[str]:
    if certificate.is_everywhere(settings.https_bind_addr):
        return ["localhost", *certificate.lan_addresses()]
    return [settings.https_bind_addr]


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


async def _renew_certificate(settings: Settings) -> None:
    while True:
        await asyncio.sleep(CERTIFICATE_CHECK_S)
        try:
            await asyncio.to_thread(certificate.certificate, settings)
        except (OSError, ValueError):
            log.exception("the certificate could not be renewed, trying again later")
