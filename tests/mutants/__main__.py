"""`python -m tests.mutants [FILE …]`: break the server's rules one at a time, and see whether a test fails.

Each mutant is one small change of one file, in a copy of the tree. The tests that run its line run until one fails. A
mutant that survives is a rule that nothing tests, or a change that changes nothing. See docs/testing.md.

The states of a mutant: not in the journal; `killed` or `hung` by one of the first tests; otherwise tried with more of
the tests that run its line; `survived` if all of those pass. A run that was stopped goes on where it was.
"""

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import click

from testing.databases import SHARED_POSTGRES, a_postgres, migrated_template
from testing.tree import ROOT, copy_tree, tracked
from tests.mutants import trial
from tests.mutants.changes import Mutant, mutants
from tests.mutants.recording import FOLDERS, Recording, passed_in, record

FIRST_TESTS_S = 10.0  # how long the first tests of a mutant take
MORE_TESTS_S = 40.0  # and those of a mutant that they do not notice
EXTRA_S = 120.0  # for the tests of a mutant, beside ten times what they took without one
OWN_POSTGRES = ("store/database/embedded.py", "store/database/migrate.py")  # what prepares the shared one
NOTICED = ("killed", "hung")
KEPT = ROOT / ".mutants"


@dataclass(frozen=True)
class Verdict:
    file: str
    line: int
    was: str
    becomes: str
    outcome: str  # killed, hung, survived, or "unreached": no test runs the line while it is measured
    content: str = ""  # of the tree that it was tried in, a hash


class Journal:
    """The verdicts so far.

    Those of a file that has changed since are forgotten. A mutant that survived is tried again after any change of the
    tree: there may be a test for it.
    """

    def __init__(self, path: Path, content: str) -> None:
        """`content`: a hash of the whole tree."""
        self._path = path
        self._content = content
        self._lines: dict[tuple[str, ...], Verdict] = {}
        for line in path.read_text().splitlines() if path.exists() else []:
            key, verdict = json.loads(line)
            self._lines[tuple(key)] = Verdict(**verdict)

    @staticmethod
    def _key(mutant: Mutant, original: str) -> tuple[str, ...]:
        return mutant.file, sha256(original.encode()).hexdigest(), sha256(mutant.source.encode()).hexdigest()

    def of(self, mutant: Mutant, original: str) -> Verdict | None:
        verdict = self._lines.get(self._key(mutant, original))
        is_final = verdict is not None and (verdict.outcome in NOTICED or verdict.content == self._content)
        return verdict if is_final else None

    def add(self, mutant: Mutant, original: str, outcome: str) -> Verdict:
        was, becomes = (" ".join(code.split()) for code in (mutant.was, mutant.becomes))
        verdict = Verdict(mutant.file, mutant.line, was, becomes, outcome, self._content)
        key = self._key(mutant, original)
        self._lines[key] = verdict
        with self._path.open("a") as journal:
            journal.write(json.dumps([key, verdict.__dict__]) + "\n")
        return verdict


T = TypeVar("T")
Steps = Generator[None, None, T]  # yields while a process runs, then returns


class Bench:
    """A copy of the tree in which one mutant after the other is tried."""

    def __init__(self, tree: Path, recording: Recording, postgres_url: str) -> None:
        self._tree = tree
        self._recording = recording
        self._postgres_url = postgres_url
        self._passes: dict[str, bool] = {}  # without a mutant

    def try_all(self, work: Iterator[tuple[Mutant, str]], journal: Journal) -> Steps[None]:
        """Try each mutant, with the text of its file without it."""
        for mutant, original in work:
            tests = self._recording.tests_of(mutant.file, mutant.line)
            first = self._recording.within(tests, FIRST_TESTS_S)
            outcome = "unreached"
            others = self._recording.spread(tests[len(first) :])
            for some in (first, self._recording.within(others, MORE_TESTS_S)):
                if outcome in ("unreached", "survived"):
                    (self._tree / mutant.file).write_text(original)
                    sound = yield from self._sound(mutant.file, some)
                    (self._tree / mutant.file).write_text(mutant.source)
                    outcome = (yield from self._run(mutant.file, sound, "-x")).outcome if sound else outcome
            (self._tree / mutant.file).write_text(original)
            verdict = journal.add(mutant, original, outcome)
            if outcome in ("survived", "unreached"):
                click.echo(f"{verdict.file}:{verdict.line}: {verdict.was}  ->  {verdict.becomes}  ({outcome})")

    def _sound(self, file: str, tests: list[str]) -> Steps[list[str]]:
        """Those that pass without a mutant when they run here: the failure of another one would mean nothing."""
        untried = [test for test in tests if test not in self._passes]
        if untried:
            report = self._tree / "report.xml"
            report.unlink(missing_ok=True)
            ended = yield from self._run(file, untried, f"--junitxml={report}", "-o", "junit_family=xunit1")
            assert report.exists(), f"no report, exit code {ended.exit_code}: {untried}"
            passed = set(passed_in(report))
            self._passes |= {test: test in passed for test in untried}
            for test in untried:
                if not self._passes[test]:
                    click.echo(f"left out, because it fails without a mutant: {test}", err=True)
        return [test for test in tests if self._passes[test]]

    def _run(self, file: str, tests: list[str], *options: str) -> Steps[trial.Trial]:
        if file in OWN_POSTGRES:
            os.environ.pop(SHARED_POSTGRES, None)
        else:
            os.environ[SHARED_POSTGRES] = self._postgres_url
        running = trial.start(self._tree, [*options, *tests], EXTRA_S + 10 * self._recording.seconds_of(*tests))
        while not running.has_ended:
            yield
        trial.drop_databases(self._postgres_url, running.process)
        return running


def table(verdicts: Iterable[Verdict]) -> str:
    """A row for each file."""
    counts: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        counts.setdefault(verdict.file, Counter())[verdict.outcome] += 1
    rows = ["| file | mutants | noticed | survived | not reached |", "|---|---|---|---|---|"]
    for file, of in counts.items():
        noticed = sum(of[outcome] for outcome in NOTICED)
        rows.append(f"| `{file}` | {of.total()} | {noticed} | {of['survived']} | {of['unreached']} |")
    return "\n".join(rows)


@click.command()
@click.argument("files", nargs=-1)
@click.option("--processes", default=os.cpu_count() or 1, help="How many mutants are tried at once.")
def main(files: tuple[str, ...], processes: int) -> None:
    """Print the survivors, each with its line, and a row for each file. Without FILES: all of the server's."""
    trial.prepare()
    sys.dont_write_bytecode = True  # Python takes a mutant's bytecode for the next one of the same size and second
    listed = tracked()
    chosen = files or [name for name in listed if name.startswith(FOLDERS) and name.endswith(".py")]
    originals = {file: (ROOT / file).read_text() for file in chosen}
    every = [(mutant, source) for file, source in originals.items() for mutant in mutants(file, source)]
    sources = b"".join((ROOT / name).read_bytes() for name in listed if name.endswith((".py", ".sql")))
    content = sha256(sources).hexdigest()[:12]
    kept = KEPT / content
    kept.mkdir(parents=True, exist_ok=True)
    journal = Journal(KEPT / "journal.jsonl", content)
    work = iter([one for one in every if journal.of(*one) is None])
    with tempfile.TemporaryDirectory(prefix="sottovoce-mutants-") as folder, a_postgres() as postgres:
        migrated_template(postgres.url)
        trees = [Path(folder) / str(number) / "tree" for number in range(processes)]
        for tree in trees:
            copy_tree(tree)
            trial.compile_tree(tree)
        recording = record(kept, trees[0])
        running = [Bench(tree, recording, postgres.url).try_all(work, journal) for tree in trees]
        while running:
            running = [one for one in running if next(one, "ended") is None]
            time.sleep(0.01)
    click.echo("\n" + table(verdict for one in every if (verdict := journal.of(*one))))


if __name__ == "__main__":
    main()
