"""The benchmark runs and measures something."""

import json
import subprocess
import sys

import pytest

from testing.server import PATIENCE_S
from testing.tree import ROOT

pytestmark = pytest.mark.once


def test_bench_short_run_reports_each_workload() -> None:
    short = ["fan-out", "history", "--seconds", "1", "--scale", "0.01"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *short],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=10 * PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert [one["workload"] for one in found] == ["fan-out", "history", "history", "history"]
    assert [one.get("messages") for one in found] == [None, 100, 1_000, 10_000]
    for one in found:
        assert one["per_s"] > 0, one
    assert "| history |" in done.stdout
