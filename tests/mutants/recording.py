"""Which tests run which line, and how long each takes: what coverage.py records of one run of all tests."""

import subprocess
import sys
from collections import Counter
from itertools import accumulate, zip_longest
from pathlib import Path
from xml.etree import ElementTree

from coverage import CoverageData

ALL_TESTS_S = 3600.0
LONG_S = 15.0  # a test that takes longer is none of one rule
FOLDERS = ("chat/", "crypto/", "handlers/", "store/")
UNMEASURED = [f"--ignore=tests/{path}" for path in ("web", "processes", "faults", "v2/test_scenarios.py")]  # processes
UNMEASURED.append("--deselect=tests/test_documents.py::test_server_conforms_to_its_openapi")  # a minute long


class Recording:
    """A recorded run. `folder` keeps it for the next start of the program."""

    def __init__(self, folder: Path) -> None:
        covered = CoverageData(str(folder / "coverage"))
        covered.read()
        root = Path((folder / "tree").read_text())
        self._lines = {
            Path(file).relative_to(root).as_posix(): {
                line: {context.rpartition("|")[0] for context in contexts}
                for line, contexts in covered.contexts_by_lineno(file).items()
            }
            for file in covered.measured_files()
        }  # of each file: its lines, and the tests that run each; "" is the import
        self._all = Counter(test for of in self._lines.values() for tests in of.values() for test in tests)
        self._took = passed_in(folder / "report.xml")

    def tests_of(self, file: str, line: int) -> list[str]:
        """The tests that run the line, but long ones: those that run the least of other files first, then the quickest.

        A line that is run at import, such as a constant, gets the tests that run any line of the file. Empty: no test
        runs the line while it is measured.
        """
        by_line = self._lines[file]
        lines = by_line.values() if "" in by_line.get(line, ()) else [by_line.get(line, ())]
        here = Counter(test for tests in by_line.values() for test in tests)
        found = {test for tests in lines for test in tests if test and self.seconds_of(test) < LONG_S}
        return sorted(found, key=lambda test: (-here[test] / self._all[test], self.seconds_of(test), test))

    def within(self, tests: list[str], seconds: float) -> list[str]:
        """The first of these tests, as many as take no longer than `seconds` in all; at least one."""
        ends = accumulate(map(self.seconds_of, tests))
        return [test for test, end in zip(tests, ends, strict=True) if end <= seconds or test is tests[0]]

    @staticmethod
    def spread(tests: list[str]) -> list[str]:
        """The same tests, one of each file in turn: where hundreds run a line, those of one file test one thing."""
        by_file: dict[str, list[str]] = {}
        for test in tests:
            by_file.setdefault(test.partition("::")[0], []).append(test)
        return [test for turn in zip_longest(*by_file.values()) for test in turn if test is not None]

    def seconds_of(self, *tests: str) -> float:
        """How long the tests take without a mutant, and a second for one that is not known."""
        return sum(self._took.get(test, 1.0) for test in tests)


def passed_in(report: Path) -> dict[str, float]:
    """The tests that passed, with their seconds, in a JUnit report of the family xunit1."""
    return {
        f"{case.get('file')}::{case.get('name')}": float(case.get("time") or 0)
        for case in ElementTree.parse(report).iter("testcase")
        if len(case) == 0 or {child.tag for child in case} <= {"system-out", "system-err", "properties"}
    }


def record(folder: Path, tree: Path) -> Recording:
    """Return the recording in the folder; if there is none, run all tests of the tree first.

    Raises AssertionError if a test fails.
    """
    if not (folder / "tree").exists():
        report = ["-o", "junit_family=xunit1", f"--junitxml={folder / 'report.xml'}"]
        words = ["-q", *UNMEASURED, *report]
        words += [f"--cov={name}" for name in FOLDERS] + ["--cov-context=test", "--cov-report=", "tests"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words],
            cwd=tree,
            capture_output=True,
            text=True,
            timeout=ALL_TESTS_S,
            check=False,
        )
        assert done.returncode == 0, f"tests fail without a mutant: {done.stdout[-2000:]}"
        (tree / ".coverage").rename(folder / "coverage")
        (folder / "tree").write_text(str(tree))
    return Recording(folder)
