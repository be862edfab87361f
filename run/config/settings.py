"""The settings of the server.

A flag overrides an environment variable, which overrides `sottovoce.toml`, which overrides the default. Each setting is
a click option; click applies this order. An unknown setting is an error.
"""

import importlib.util
import os
import ssl
import tomllib
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import wraps
from ipaddress import ip_network
from math import isnan
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import click
import platformdirs
import psycopg
from msgspec import Struct
from psycopg.conninfo import conninfo_to_dict

from crypto.passwords import MEMORY_MIB
from crypto.tokens import MIN_SECRET_BYTES

PREFIX = "SOTTOVOCE_"
CONFIG_FILE = "sottovoce.toml"


class Settings(Struct, frozen=True):
    """The effective settings, checked by `check`. SETTINGS describes each."""

    https_port: int | None
    https_bind_addr: str
    port: int | None
    bind_addr: str
    tls_cert: Path | None
    tls_key: Path | None
    data_dir: Path
    database_url: str | None
    workers: int
    bus: str
    jwt_secret: str | None
    key_encryption_key: str | None
    admin_password: str | None
    registration: Literal["open", "invite", "closed"]
    rate_limits: bool
    password_memory_mib: int
    trusted_proxies: list[str]
    cookie_days: float
    code_hours: float
    invite_days: float
    motd: str
    log_level: str

    @property
    def cookie_life(self) -> timedelta:
        """How long a browser stays logged in."""
        return timedelta(days=self.cookie_days)

    @property
    def code_life(self) -> timedelta:
        """How long a chat code is valid."""
        return timedelta(hours=self.code_hours)

    @property
    def invite_life(self) -> timedelta:
        """How long an unused invite is valid."""
        return timedelta(days=self.invite_days)


class _Port(click.ParamType[Any]):
    name = "port or off"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        if value == "off" or value is None:
            return None
        number = click.IntRange(1, 65_535).convert(value, param, ctx)
        return int(number)


class _Networks(click.ParamType[Any]):
    name = "addresses"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[str]:
        parts = value.split(",") if isinstance(value, str) else value
        if not (isinstance(parts, list) and all(isinstance(part, str) for part in parts)):
            self.fail("must be addresses or networks", param, ctx)
        try:
            return [str(ip_network(part.strip())) for part in parts if part.strip()]
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Switch(click.ParamType[Any]):
    name = "on or off"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bool:
        if isinstance(value, bool):
            return value
        if value not in ("on", "off"):
            self.fail("must be on or off", param, ctx)
        return bool(value == "on")


class _Secret(click.ParamType[Any]):
    name = "secret"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not isinstance(value, str) or not value:
            self.fail("must be text, and not empty", param, ctx)
        return value


class _Life(click.FloatRange):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if isnan(number):
            self.fail("is not a number", param, ctx)
        return number


def default_data_dir() -> Path:
    """Return the per-user data folder; for root a folder that the user of PostgreSQL can reach."""
    if os.name == "posix" and os.geteuid() == 0:
        return Path("/var/lib/sottovoce")
    return platformdirs.user_data_path("sottovoce", appauthor=False)


class _Option(click.Option):
    """An option that also reads a secret from the file that the variable `<NAME>_FILE` names."""

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        value = super().resolve_envvar_value(ctx)
        if not isinstance(self.type, _Secret):
            return value
        file = os.environ.get(f"{self.envvar}_FILE")
        if file is None:
            return value
        if value is not None:
            raise click.UsageError(f"set either {self.envvar} or {self.envvar}_FILE")
        try:
            value = Path(file).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"{self.envvar}_FILE: {error}") from error
        if not value:
            raise click.UsageError(f"{self.envvar}_FILE: {file} is empty")
        return value


class _Setting(NamedTuple):
    envvar: str
    type: Any
    default: Any
    help: str

    @property
    def name(self) -> str:
        return self.envvar.removeprefix(PREFIX).lower()


_DAYS = _Life(0, 3650, min_open=True)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path, resolve_path=True, readable=False)

SETTINGS = [
    _Setting("HTTPS_PORT", _Port(), "8443", "Port for HTTPS and secure WebSockets, or off."),
    _Setting("HTTPS_BIND_ADDR", str, "", "Address for HTTPS; empty means all interfaces."),
    _Setting("PORT", _Port(), "2607", "Port for plain HTTP, for a reverse proxy or local programs, or off."),
    _Setting("BIND_ADDR", str, "127.0.0.1", "Address for plain HTTP."),
    _Setting("TLS_CERT", _FILE, None, "Certificate chain (PEM). Default: a certificate of the local authority."),
    _Setting("TLS_KEY", _FILE, None, "Private key of TLS_CERT (PEM)."),
    _Setting("SOTTOVOCE_DATA_DIR", _FOLDER, default_data_dir, "Folder for the database, certificates and secrets."),
    _Setting("DATABASE_URL", _Secret(), None, "URL of PostgreSQL 14 or newer. Default: embedded PostgreSQL."),
    _Setting("SOTTOVOCE_WORKERS", click.IntRange(1, 64), 1, "Number of worker processes."),
    _Setting("SOTTOVOCE_BUS", str, "postgresql", "Notifications between workers: postgresql or a nats:// URL."),
    _Setting("JWT_SECRET", _Secret(), None, "Signs session tokens; 32 bytes or more. Generated by default."),
    _Setting("SOTTOVOCE_KEY_ENCRYPTION_KEY", _Secret(), None, "Wraps pending keys; 64 hex digits. Generated."),
    _Setting("ADMIN_PASSWORD", _Secret(), None, "If set, the start creates the account `admin` with it."),
    _Setting(
        "SOTTOVOCE_REGISTRATION",
        click.Choice(["open", "invite", "closed"]),
        "open",
        "Who may register: anyone, users with an invite, or no one.",
    ),
    _Setting("SOTTOVOCE_RATE_LIMITS", _Switch(), "on", "Rate limits; off is for benchmarks only."),
    _Setting(
        "SOTTOVOCE_PASSWORD_MEMORY_MIB",
        click.IntRange(8, 1024),
        MEMORY_MIB,
        "Memory of one password hash, in MiB; less for small machines.",
    ),
    _Setting("TRUSTED_PROXIES", _Networks(), "", "Proxies whose X-Forwarded-For is used, comma-separated."),
    _Setting("SOTTOVOCE_COOKIE_DAYS", _DAYS, 7, "How long a browser stays logged in."),
    _Setting("SOTTOVOCE_CODE_HOURS", _Life(0, 24 * 365, min_open=True), 24, "How long a chat code is valid."),
    _Setting("SOTTOVOCE_INVITE_DAYS", _DAYS, 7, "How long an unused invite is valid."),
    _Setting("SOTTOVOCE_MOTD", str, "Welcome", "Message of the day."),
    _Setting("SOTTOVOCE_LOG_LEVEL", click.Choice(["debug", "info", "warning", "error"]), "info", "Lowest level."),
]
NAMES = {setting.name for setting in SETTINGS}


def default_settings() -> Settings:
    """Return the settings of a server for which nothing is set."""
    defaults = {one.name: one.default() if callable(one.default) else one.default for one in SETTINGS}
    return Settings(**{one.name: click.types.convert_type(one.type)(defaults[one.name]) for one in SETTINGS})


def known_environment() -> set[str]:
    """Return the names of all environment variables that the server or `sottovoce chat` reads."""
    files = {f"{setting.envvar}_FILE" for setting in SETTINGS if isinstance(setting.type, _Secret)}
    # `sottovoce chat` reads the last three.
    return (
        {setting.envvar for setting in SETTINGS}
        | files
        | {"SOTTOVOCE_CONFIG", "SOTTOVOCE_PASSWORD", "SOTTOVOCE_PASSPHRASE", "SOTTOVOCE_RECOVERY_KEY"}
    )


def with_settings(*shown: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command an option for each setting; it receives the Settings as its first argument.

    `--help` lists the settings in `shown`, or all if `shown` is empty.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def command(**values: Any) -> Any:
            refuse_unknown(os.environ)
            settings = Settings(**{name: values.pop(name) for name in NAMES})
            check(settings)
            return function(settings, **values)

        for setting in reversed(SETTINGS):
            command = click.option(
                "--" + setting.name.replace("_", "-"),
                setting.name,
                cls=_Option,
                envvar=setting.envvar,
                type=setting.type,
                default=setting.default,
                help=setting.help,
                show_default=not callable(setting.default) or "per-user data folder",
                show_envvar=True,
                hidden=bool(shown) and setting.name not in shown,
            )(command)
        return click.option(
            "--config",
            envvar="SOTTOVOCE_CONFIG",
            type=_FILE,
            is_eager=True,
            expose_value=False,
            callback=_read_file,
            help=f"Settings file. Default: {CONFIG_FILE} in the current folder, if it exists.",
        )(command)

    return decorate


def _read_file(ctx: click.Context, _param: click.Parameter, path: Path | None) -> None:
    if path is None:
        path = Path(CONFIG_FILE)
        if not path.exists():
            return
    try:
        values = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise click.UsageError(f"{path}: {error}") from error
    if unknown := sorted(set(values) - NAMES):
        raise click.UsageError(f"{path}: unknown setting {', '.join(unknown)}")
    ctx.default_map = {**(ctx.default_map or {}), **values}


def refuse_unknown(environment: Mapping[str, str]) -> None:
    """Raise click.UsageError if a variable with our prefix is unknown, for example misspelt."""
    ours = {name for name in environment if name.startswith(PREFIX)}
    if unknown := sorted(ours - known_environment()):
        raise click.UsageError(f"unknown environment variable {', '.join(unknown)}")


def check(settings: Settings) -> None:
    """Check what concerns several settings, or needs more than the type. Raises click.UsageError."""
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise click.UsageError("TLS_CERT and TLS_KEY must be set together")
    if settings.https_port is None and settings.port is None:
        raise click.UsageError("HTTPS_PORT and PORT cannot both be off")
    if settings.bus != "postgresql":
        if urlsplit(settings.bus).scheme not in ("nats", "tls"):
            raise click.UsageError("SOTTOVOCE_BUS must be postgresql or a nats:// URL")
        if importlib.util.find_spec("nats") is None:
            raise click.UsageError("SOTTOVOCE_BUS needs the package nats-py: pip install sottovoce[nats]")
    if settings.https_port == settings.port:
        raise click.UsageError("HTTPS_PORT and PORT must differ")
    if settings.tls_cert is not None and settings.tls_key is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key)
        except (ssl.SSLError, OSError) as error:
            raise click.UsageError(f"TLS_CERT and TLS_KEY are not a certificate and its key: {error}") from error
    if settings.database_url is not None:
        try:
            conninfo_to_dict(settings.database_url)
        except psycopg.ProgrammingError as error:
            raise click.UsageError(f"DATABASE_URL: {str(error).strip()}") from error
    if settings.jwt_secret is not None and len(settings.jwt_secret.encode()) < MIN_SECRET_BYTES:
        raise click.UsageError(f"JWT_SECRET must have at least {MIN_SECRET_BYTES} bytes")
    if settings.key_encryption_key is not None:
        try:
            is_valid = len(bytes.fromhex(settings.key_encryption_key)) == 32
        except ValueError:
            is_valid = False
        if not is_valid:
            raise click.UsageError("SOTTOVOCE_KEY_ENCRYPTION_KEY must be 64 hexadecimal digits")
