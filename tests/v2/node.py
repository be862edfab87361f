"""Run the scenarios of the web client in Node."""

import json
import os
import re
import shutil
import subprocess

from testing.process import Server
from testing.tree import ROOT

WEB = ROOT / "web"
PATIENCE_S = 300
ROUND_S = 10  # a conversation with a server that lies, on a machine that does other things


def node(*words: str, server: Server, patience_s: float = PATIENCE_S, **environment: str) -> str:
    """Run Node tests against `server`; return their output. Fail if Node is missing or a scenario fails."""
    assert shutil.which("node"), "Node 20 is needed to run the client's tests"
    assert (WEB / "node_modules").exists(), "run `npm ci` in web/, as `make test` does"
    assert server.process is not None
    given = {"SOTTOVOCE_SERVER": server.address, "SOTTOVOCE_PID": str(server.process.pid), **environment}
    done = subprocess.run(
        ["node", "--test", "--test-force-exit", "--test-reporter=spec", *words],
        cwd=WEB,
        env=os.environ | given,
        capture_output=True,
        text=True,
        check=False,
        timeout=patience_s,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"pass (\d+)", done.stdout)
    assert passed is not None, done.stdout
    assert int(passed[1]) > 0, done.stdout
    return done.stdout


def random_scenario(server: Server, seed: int, actions: int) -> dict[str, int]:
    """Run web/scenarios/chance.test.js; return its figures."""
    given = {"SOTTOVOCE_SEED": str(seed), "SOTTOVOCE_ACTIONS": str(actions)}
    return figures(node("scenarios/chance.test.js", server=server, **given))


def lying_server(server: Server, seed: int, rounds: int) -> dict[str, int]:
    """Run web/scenarios/lying.test.js; return its figures."""
    given = {"SOTTOVOCE_SEED": str(seed), "SOTTOVOCE_ROUNDS": str(rounds)}
    patience_s = PATIENCE_S + rounds * ROUND_S
    return figures(node("scenarios/lying.test.js", server=server, patience_s=patience_s, **given))


def figures(output: str) -> dict[str, int]:
    """Return what a scenario counts."""
    found = re.search(r"figures (\{.*\})", output)
    assert found is not None, output
    counted: dict[str, int] = json.loads(found[1])
    return counted


def table(found: list[dict[str, int]]) -> str:
    """Return a Markdown table with a row for each run, whose first figure is its seed, and a row of the sums."""
    names = list(found[0])
    rows = [[name.replace("_", " ") for name in names], ["---"] * len(names)]
    rows += [[f"{one[name]:,}" for name in names] for one in found]
    rows.append(["all", *(f"{sum(one[name] for one in found):,}" for name in names[1:])])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
