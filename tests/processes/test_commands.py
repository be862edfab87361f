"""The operator's commands: invite, user, migrate, check-config."""

from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest
from click.testing import CliRunner, Result

from server import main
from testing.process import Server, running
from testing.server import PATIENCE_S


def sottovoce(server: Server, *words: str, typed: str = "") -> Result:
    """Run a command in this process, because a start of Python takes longer. test_serve.py starts real processes."""
    with patch("run.commands.database.set_up_logs"):  # pytest captures the log
        return CliRunner().invoke(main, words, input=typed, env=server.environment)


def register(server: Server, name: str, code: str) -> httpx.Response:
    body = {"username": name, "password": "Secret1pass", "invite_code": code}
    return httpx.post(f"{server.address}/register", json=body, timeout=PATIENCE_S)


def log_in(server: Server, name: str, password: str) -> httpx.Response:
    return httpx.post(f"{server.address}/login", json={"username": name, "password": password}, timeout=PATIENCE_S)


def test_invite_commands_work_while_the_server_runs(lasting_server: Server) -> None:
    used, revoked = (sottovoce(lasting_server, "invite", "new").stdout.strip() for _ in range(2))
    listed = sottovoce(lasting_server, "invite", "list").stdout
    assert used in listed
    assert revoked in listed
    assert sottovoce(lasting_server, "invite", "revoke", revoked.lower()).exit_code == 0
    assert register(lasting_server, "eve", revoked).status_code == 400
    assert register(lasting_server, "alice", used).status_code == 200
    listed = sottovoce(lasting_server, "invite", "list").stdout
    assert used not in listed
    assert revoked not in listed
    again = sottovoce(lasting_server, "invite", "revoke", revoked)
    assert (again.exit_code, again.stderr.strip()) == (1, f"Error: there is no unused invite {revoked}")


def test_user_commands_list_and_delete_accounts(lasting_server: Server) -> None:
    invite = sottovoce(lasting_server, "invite", "new").stdout.strip()
    assert register(lasting_server, "leaver", invite).status_code == 200
    assert sottovoce(lasting_server, "user", "role", "leaver", "tester").exit_code == 0
    token = log_in(lasting_server, "leaver", "Secret1pass").json()["token"]
    mine = httpx.post(
        f"{lasting_server.address}/invites", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_S
    )
    assert f"{mine.json()['invite_code']}  " in sottovoce(lasting_server, "invite", "list").stdout
    assert "UTC  leaver" in sottovoce(lasting_server, "invite", "list").stdout
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert f"leaver  {today}  tester" in sottovoce(lasting_server, "user", "list").stdout.splitlines()
    assert sottovoce(lasting_server, "user", "delete", "leaver", typed="n\n").exit_code == 1
    assert log_in(lasting_server, "leaver", "Secret1pass").status_code == 200
    assert sottovoce(lasting_server, "user", "delete", "Leaver", typed="y\n").exit_code == 0
    assert log_in(lasting_server, "leaver", "Secret1pass").status_code == 400
    assert "leaver" not in sottovoce(lasting_server, "user", "list").stdout
    gone = sottovoce(lasting_server, "user", "delete", "leaver", "--yes")
    assert (gone.exit_code, gone.stderr.strip()) == (1, "Error: there is no user leaver")


@pytest.mark.once
def test_user_commands_work_with_and_without_the_server(tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    nowhere = sottovoce(server, "invite", "new")
    assert nowhere.exit_code == 1
    assert f"there is no database in {server.data} yet" in nowhere.stderr
    assert sottovoce(server, "migrate").exit_code == 0
    assert sottovoce(server, "user", "add", "Alice", "--password", "short").exit_code == 1
    made = sottovoce(server, "user", "add", "Alice", "--role", "tester", typed="First1pass\nFirst1pass\n")
    assert made.exit_code == 0, made.stderr
    assert server.family() == [], "the command must stop its PostgreSQL"
    assert sottovoce(server, "user", "add", "ALICE", typed="First1pass\nFirst1pass\n").exit_code == 1
    with running(server):
        answer = log_in(server, "alice", "First1pass")
        assert answer.status_code == 200
        bearer = {"Authorization": f"Bearer {answer.json()['token']}"}
        for _ in range(2):  # a tester may make as many invites as they like
            assert httpx.post(f"{server.address}/invites", headers=bearer, timeout=PATIENCE_S).status_code == 200
        assert sottovoce(server, "user", "role", "alice", "user").exit_code == 0
        assert httpx.post(f"{server.address}/invites", headers=bearer, timeout=PATIENCE_S).status_code == 403

        assert sottovoce(server, "user", "passwd", "alice", typed="Second2pass\nSecond2pass\n").exit_code == 0
        assert httpx.get(f"{server.address}/me", headers=bearer, timeout=PATIENCE_S).status_code == 401
        assert log_in(server, "alice", "First1pass").status_code == 400
        assert log_in(server, "alice", "Second2pass").status_code == 200
        unknown = sottovoce(server, "user", "role", "nobody", "admin")
        assert (unknown.exit_code, unknown.stderr.strip()) == (1, "Error: there is no user nobody")


@pytest.mark.once
def test_admin_password_setting_keeps_a_changed_password(tmp_path: Path) -> None:
    with running(Server(tmp_path / "data", ADMIN_PASSWORD="First1pass")) as server:
        assert log_in(server, "admin", "First1pass").status_code == 200
        assert sottovoce(server, "user", "passwd", "admin", typed="Second2pass\nSecond2pass\n").exit_code == 0
        server.stop()
        server.start()
        assert log_in(server, "admin", "Second2pass").status_code == 200
        assert log_in(server, "admin", "First1pass").status_code == 400


@pytest.mark.once
def test_migrate_and_check_config_work_without_the_server(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", ADMIN_PASSWORD="First1pass")
    migrated = sottovoce(server, "migrate")
    assert (migrated.exit_code, migrated.stdout.strip()) == (0, "The database is up to date.")
    checked = sottovoce(server, "check-config")
    assert f"port = {server.port}" in checked.stdout
    assert "First1pass" not in checked.stdout
