"""Settings: precedence of flag, environment, sottovoce.toml and default, and values that are refused."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from run.config.settings import SETTINGS, known_environment
from run.tls.local_ca import local_certificate
from server import main
from tests.test_certificates import NOW

DOCUMENT = Path(__file__).parent.parent / "docs" / "settings.md"
SECRET = "correct-horse-battery-staple-0123456789"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Clear the environment of settings, and change to an empty folder."""
    for name in known_environment():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*flags: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["check-config", *flags], env=environment)


def effective(*flags: str, **environment: str) -> dict[str, str]:
    """What `check-config` prints."""
    result = run(*flags, **environment)
    assert result.exit_code == 0, result.output
    return dict(line.split(" = ", 1) for line in result.output.splitlines())


def refused(*flags: str, **environment: str) -> str:
    """The error of `check-config`; check that it is a message and not a traceback."""
    result = run(*flags, **environment)
    assert result.exit_code == 2, f"{result.output} {result.exception!r}"
    assert "Error: " in result.output
    return result.output


def test_settings_have_their_defaults() -> None:
    found = effective()
    assert found["https_port"] == "8443"
    assert (found["port"], found["bind_addr"]) == ("2607", "127.0.0.1")
    assert (found["registration"], found["rate_limits"], found["workers"]) == ("open", "on", "1")
    assert (found["database_url"], found["jwt_secret"], found["trusted_proxies"]) == ("(none)", "(none)", "")


def test_settings_precedence_is_flag_environment_file_default() -> None:
    assert effective()["workers"] == "1"
    Path("sottovoce.toml").write_text("workers = 2\n")
    assert effective()["workers"] == "2"
    assert effective(SOTTOVOCE_WORKERS="3")["workers"] == "3"
    assert effective("--workers", "4", SOTTOVOCE_WORKERS="3")["workers"] == "4"


def test_settings_are_read_from_flags_and_file() -> None:
    shown = CliRunner().invoke(main, ["serve", "--help"]).output
    for setting in SETTINGS:
        assert f"--{setting.name.replace('_', '-')}" in shown
    Path("sottovoce.toml").write_text('motd = "from the file"\nrate_limits = false\ncookie_days = 1.5\nport = "off"\n')
    found = effective()
    assert (found["motd"], found["rate_limits"], found["cookie_days"]) == ("from the file", "off", "1.5")
    assert found["port"] == "off"


def test_settings_file_can_be_chosen() -> None:
    Path("other.toml").write_text("workers = 5\n")
    Path("sottovoce.toml").write_text("workers = 2\n")
    assert effective("--config", "other.toml")["workers"] == "5"
    assert effective(SOTTOVOCE_CONFIG="other.toml")["workers"] == "5"
    assert "missing.toml" in refused("--config", "missing.toml")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        pytest.param(b"worker = 2\n", "worker", id="misspelled name"),
        pytest.param(b"[server]\nworkers = 2\n", "server", id="a table"),
        pytest.param(b"SOTTOVOCE_WORKERS = 2\n", "SOTTOVOCE_WORKERS", id="the environment's name"),
        pytest.param(b"workers = \n", "sottovoce.toml", id="not TOML"),
        pytest.param(b'motd = "\xff"\n', "sottovoce.toml", id="not UTF-8"),
        pytest.param(b"workers = 0\n", "workers", id="out of range"),
        pytest.param(b'workers = "many"\n', "workers", id="wrong type"),
        pytest.param(b"port = false\n", "port", id="a port that is false"),
        pytest.param(b"jwt_secret = 5\n", "jwt", id="a secret that is a number"),
        pytest.param(b"admin_password = 12345678\n", "admin", id="a password that is a number"),
        pytest.param(b'trusted_proxies = ["10.0.0.1/8", "nas"]\n', "trusted", id="proxies that are not networks"),
        pytest.param(b"trusted_proxies = [1]\n", "trusted", id="proxies that are numbers"),
        pytest.param(b"trusted_proxies = true\n", "trusted", id="proxies that are true"),
        pytest.param(b"cookie_days = nan\n", "cookie", id="not a number"),
    ],
)
def test_settings_file_invalid_is_refused_by_name(content: bytes, named: str) -> None:
    Path("sottovoce.toml").write_bytes(content)
    assert named in refused()


def test_settings_unknown_sottovoce_variable_is_refused() -> None:
    assert "SOTTOVOCE_WORKER" in refused(SOTTOVOCE_WORKER="2")
    assert "SOTTOVOCE_WORKERS_FILE" in refused(SOTTOVOCE_WORKERS_FILE="x")
    effective(POSTGRES_PASSWORD="x", SOTTO="x")


SECRETS = ["JWT_SECRET", "SOTTOVOCE_KEY_ENCRYPTION_KEY", "ADMIN_PASSWORD", "DATABASE_URL"]
VALUES = {"SOTTOVOCE_KEY_ENCRYPTION_KEY": "ab" * 32, "DATABASE_URL": f"postgresql://kim:{SECRET}@db/chat"}


@pytest.mark.parametrize("name", SECRETS)
def test_secret_is_read_from_variable_or_file_not_both(name: str) -> None:
    setting, value = name.removeprefix("SOTTOVOCE_").lower(), VALUES.get(name, SECRET)
    assert effective()[setting] == "(none)"
    assert effective(**{name: value})[setting] == "(set)"
    Path("secret").write_text(f"{value}\n")
    assert effective(**{f"{name}_FILE": "secret"})[setting] == "(set)"
    assert name in refused(**{name: value, f"{name}_FILE": "secret"})
    assert f"{name}_FILE" in refused(**{f"{name}_FILE": "missing"})


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"], ids=["empty", "a blank line", "not UTF-8"])
def test_secret_file_empty_or_not_utf8_is_refused(name: str, content: bytes) -> None:
    Path("secret").write_bytes(content)
    assert name in refused(**{f"{name}_FILE": "secret"})


@pytest.mark.parametrize("name", SECRETS)
def test_secret_is_never_printed(name: str) -> None:
    value = VALUES.get(name, SECRET)
    shown = run(**{name: value}).output + CliRunner().invoke(main, ["serve", "--help"], env={name: value}).output
    assert SECRET not in shown
    assert value not in shown
    wrong = run("--workers", "0", **{name: value}).output
    assert value not in wrong


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        pytest.param({"PORT": "0"}, "PORT", id="port 0"),
        pytest.param({"PORT": "65536"}, "PORT", id="port too high"),
        pytest.param({"HTTPS_PORT": "https"}, "HTTPS_PORT", id="a port by name"),
        pytest.param({"PORT": "off", "HTTPS_PORT": "off"}, "cannot both be off", id="no port at all"),
        pytest.param({"SOTTOVOCE_WORKERS": "65"}, "WORKERS", id="too many workers"),
        pytest.param({"SOTTOVOCE_REGISTRATION": "maybe"}, "registration", id="an unknown choice"),
        pytest.param({"SOTTOVOCE_RATE_LIMITS": "no"}, "on or off", id="neither on nor off"),
        pytest.param({"SOTTOVOCE_PASSWORD_MEMORY_MIB": "7"}, "MEMORY", id="less memory than is safe"),
        pytest.param({"SOTTOVOCE_COOKIE_DAYS": "0"}, "cookie-days", id="zero lifetime"),
        pytest.param({"SOTTOVOCE_COOKIE_DAYS": "nan"}, "cookie-days", id="lifetime not a number"),
        pytest.param({"SOTTOVOCE_CODE_HOURS": "-1"}, "code-hours", id="negative lifetime"),
        pytest.param({"TRUSTED_PROXIES": "10.0.0.1/8"}, "host bits", id="a network with host bits"),
        pytest.param({"TRUSTED_PROXIES": "nas.local"}, "nas.local", id="a proxy by name"),
        pytest.param({"TLS_CERT": "leaf.pem"}, "TLS_CERT and TLS_KEY", id="a certificate without key"),
        pytest.param({"TLS_KEY": "leaf.key"}, "TLS_CERT and TLS_KEY", id="a key without certificate"),
        pytest.param({"TLS_CERT": "missing.pem", "TLS_KEY": "leaf.key"}, "missing.pem", id="no such certificate"),
        pytest.param({"TLS_CERT": "leaf.pem", "TLS_KEY": "leaf.pem"}, "TLS_CERT and TLS_KEY", id="not a key"),
        pytest.param({"PORT": "8443"}, "must differ", id="one port for both"),
        pytest.param({"DATABASE_URL": "mysql://x"}, "DATABASE_URL", id="URL of another database system"),
        pytest.param({"JWT_SECRET": "x" * 31}, "32 bytes", id="JWT_SECRET of 31 bytes"),
        pytest.param({"SOTTOVOCE_KEY_ENCRYPTION_KEY": "ab" * 31}, "64 hexadecimal", id="a key of 31 bytes"),
        pytest.param({"SOTTOVOCE_KEY_ENCRYPTION_KEY": "xy" * 32}, "64 hexadecimal", id="a key that is not hexadecimal"),
    ],
)
def test_settings_invalid_value_is_refused_by_name(variables: dict[str, str], named: str, empty_folder: Path) -> None:
    local_certificate(empty_folder, ["localhost"], NOW)
    assert named.lower() in refused(**variables).lower()


def test_settings_valid_values_are_accepted(empty_folder: Path) -> None:
    local_certificate(empty_folder, ["localhost"], NOW)
    found = effective(
        HTTPS_PORT="off",
        PORT="80",
        TLS_CERT="leaf.pem",
        TLS_KEY="leaf.key",
        TRUSTED_PROXIES="127.0.0.1, fd00::/8,10.0.0.0/8",
        JWT_SECRET="é" * 16,
        SOTTOVOCE_RATE_LIMITS="off",
        SOTTOVOCE_DATA_DIR="here",
    )
    assert (found["https_port"], found["port"], found["rate_limits"]) == ("off", "80", "off")
    assert found["trusted_proxies"] == "127.0.0.1/32,fd00::/8,10.0.0.0/8"
    assert found["data_dir"] == str(empty_folder / "here"), "commands may run in different folders"
    assert not Path("here").exists(), "check-config creates nothing"


def test_settings_match_their_document() -> None:
    text = DOCUMENT.read_text()
    for setting in SETTINGS:
        assert re.search(rf"\b{setting.envvar}\b", text), f"{setting.envvar} is missing in {DOCUMENT.name}"
    assert set(re.findall(r"\bSOTTOVOCE_[A-Z_]+\b", text)) <= known_environment()
