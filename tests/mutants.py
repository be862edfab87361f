"""`python -m tests.mutants [FILE …]`: break the server's rules one at a time, and see whether a test fails.

Each mutant is one small change of one file, in a copy of the tree: a comparison that is turned or widened, `and` for
`or`, a condition without its `not`, a number that is one more, a check that is not made. Then the tests of that file
run until one fails. A mutant that survives is a rule that nothing tests, or a change that changes nothing. See
docs/testing.md.

A process that has imported everything but the project is forked for each mutant: that takes a tenth of a start.
"""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest
from coverage import CoverageData

ROOT = Path(__file__).parent.parent
UNBROKEN_S = 3600.0  # for all tests, without a mutant
MUTANT_S = 30.0  # for the tests of a mutant, beside five times what they took without one

UNMEASURED = [f"--ignore=tests/{folder}" for folder in ("web", "processes", "faults")]  # they start processes
TESTS_MAX = 25  # of one mutant, the quickest first
IMPORTED = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"  # by this program, before it forks
FOLDERS = ("chat/", "crypto/", "handlers/", "store/")

TURNED: dict[type[ast.cmpop], str] = {
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
SIGNS: dict[type[ast.operator], str] = {ast.Add: "-", ast.Sub: "+", ast.Mult: "//", ast.FloorDiv: "*"}


@dataclass(frozen=True)
class Mutant:
    file: str
    line: int
    was: str
    becomes: str
    source: str  # of the whole file


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """Every small change of the file, in its order."""
    lines = [line.encode() for line in source.splitlines(keepends=True)]
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    whole = source.encode()

    def place(node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset

    def changed(node: ast.expr | ast.stmt, becomes: str) -> Mutant:
        start, end = place(node)
        return Mutant(
            file,
            node.lineno,
            whole[start:end].decode(),
            becomes,
            (whole[:start] + becomes.encode() + whole[end:]).decode(),
        )

    def text(node: ast.expr) -> str:
        start, end = place(node)
        return f"({whole[start:end].decode()})"

    tree = ast.parse(source)
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in sorted(
        (one for one in ast.walk(tree) if isinstance(one, ast.expr | ast.stmt)),
        key=lambda one: (one.lineno, one.col_offset),
    ):
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in TURNED:
                yield changed(node, f"({text(left)} {TURNED[type(op)]} {text(right)})")
            case ast.Compare(left=left, ops=[first, second], comparators=[middle, right]):
                as_it_is = [f"({ast.unparse(ast.Compare(left, [first], [middle]))})"]
                as_it_is.append(f"({ast.unparse(ast.Compare(middle, [second], [right]))})")
                yield changed(node, f"({text(left)} {TURNED[type(first)]} {text(middle)} and {as_it_is[1]})")
                yield changed(node, f"({as_it_is[0]} and {text(middle)} {TURNED[type(second)]} {text(right)})")
            case ast.BoolOp(op=op, values=values):
                yield changed(
                    node, "(" + (" or " if isinstance(op, ast.And) else " and ").join(map(text, values)) + ")"
                )
                for left_out in values if len(values) > 1 else []:
                    kept = [text(value) for value in values if value is not left_out]
                    yield changed(node, "(" + (" and " if isinstance(op, ast.And) else " or ").join(kept) + ")")
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield changed(node, text(operand))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in SIGNS and not _is_text(left, right):
                yield changed(node, f"({text(left)} {SIGNS[type(op)]} {text(right)})")
            case ast.Constant(value=bool() as value) if id(node) not in said:
                yield changed(node, str(not value))
            case ast.Constant(value=int() as value) if id(node) not in said:
                yield changed(node, str(value + 1))
            case ast.Raise() | ast.Expr(value=ast.Call() | ast.Await()):
                yield changed(node, "pass")
            case ast.If(test=ast.Call() | ast.Name() | ast.Attribute() as test):
                yield changed(test, f"(not {text(test)})")


def _is_text(*nodes: ast.expr) -> bool:
    """Texts have no minus; such a mutant fails for another reason."""
    return any(
        isinstance(node, ast.JoinedStr) or isinstance(getattr(node, "value", None), str | bytes) for node in nodes
    )


class Recording:
    """Which tests run which line, and how long each takes."""

    def __init__(self, tree: Path) -> None:
        report = tree / "report.xml"
        words = ["-q", "-m", "not once", *UNMEASURED, f"--junitxml={report}", "-o", "junit_family=xunit1"]
        words += [f"--cov={folder}" for folder in FOLDERS] + ["--cov-context=test", "--cov-report=", "tests"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words],
            cwd=tree,
            capture_output=True,
            text=True,
            timeout=UNBROKEN_S,
            check=False,
        )
        assert done.returncode == 0, f"tests fail without a mutant: {done.stdout[-2000:]}"
        self._tree = tree
        self._covered = CoverageData(str(tree / ".coverage"))
        self._covered.read()
        self._took = {
            f"{case.get('file')}::{case.get('name')}": float(case.get("time") or 0)
            for case in ElementTree.parse(report).iter("testcase")
        }

    def tests_of(self, file: str, line: int) -> list[str]:
        """The tests that run the line: those whose name has the file's name first, then the quickest.

        A line that is run at import, such as a constant, gets the tests that run any line of the file. Empty: no test
        runs the line while it is measured.
        """
        by_line = self._covered.contexts_by_lineno(str(self._tree / file))
        at_import = "" in by_line.get(line, [])
        lines = by_line.values() if at_import else [by_line.get(line, [])]
        found = {context.rpartition("|")[0] for contexts in lines for context in contexts if context}
        name = Path(file).stem
        return sorted(found, key=lambda test: (name not in test, self.seconds_of(test)))[:TESTS_MAX]

    def seconds_of(self, test: str) -> float:
        """How long a test takes; a class is not a part of our test names."""
        return self._took.get(test, 1.0)


def preload() -> None:
    """Everything that the tests import and that is not ours."""
    with suppress(ImportError):
        for name in (
            *(
                "alembic.command",
                "argon2",
                "bcrypt",
                "cryptography.x509",
                "httpx",
                "hypothesis.stateful",
                "jwt",
                "msgspec",
            ),
            *("PIL.Image", "psutil", "psycopg_pool", "pytest", "sqlalchemy", "tornado.httpserver", "tornado.websocket"),
            *(
                "websockets.asyncio.client",
                "email_validator",
                "precis_i18n",
                "brotli",
                "pkg_resources",
                "pytest_tornado",
            ),
        ):
            __import__(name)


def _run(tree: Path, tests: list[str]) -> int:
    os.setsid()
    quiet = os.open(tree / "pytest.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(quiet, stream)
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
        del sys.modules[name]
    try:
        return int(pytest.main(["-q", "-x", "-W", IMPORTED, *tests]))
    except BaseException:
        traceback.print_exc()
        return 3


def outcome(tree: Path, tests: list[str], within_s: float) -> str:
    """Of the tests in that tree: "survived" where all pass, "killed", "hung"."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(_run(tree, tests))
        finally:  # whatever it raises, it must not go on as its parent
            os._exit(3)
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return "survived" if os.waitstatus_to_exitcode(status) == 0 else "killed"
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.killpg(child, 9)  # with the PostgreSQL that it may have started: a session of its own
    os.waitpid(child, 0)
    return "hung"


@click.command()
@click.argument("files", nargs=-1)
def main(files: tuple[str, ...]) -> None:
    """Print the survivors, each with its line, and a row for each file. Without FILES: all of the server's."""
    preload()
    sys.dont_write_bytecode = True  # Python takes a mutant's bytecode for the next one of the same size and second
    rows = []
    with tempfile.TemporaryDirectory(prefix="sottovoce-mutants-") as folder:
        tree = Path(folder)
        listed = tracked()
        for name in listed:
            if (ROOT / name).is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, tree / name)
        recording = Recording(tree)
        for file in files or [name for name in listed if name.startswith(FOLDERS) and name.endswith(".py")]:
            original = (ROOT / file).read_text()
            found = {"killed": 0, "survived": 0, "hung": 0}
            for mutant in mutants(file, original):
                tests = recording.tests_of(file, mutant.line)
                (tree / file).write_text(mutant.source)
                within_s = MUTANT_S + 5 * sum(map(recording.seconds_of, tests))
                what = outcome(tree, tests, within_s) if tests else "survived"
                found[what] += 1
                if what == "survived":
                    was, becomes = (" ".join(code.split()) for code in (mutant.was, mutant.becomes))
                    click.echo(f"{file}:{mutant.line}: {was}  ->  {becomes}{'' if tests else '  (no test runs it)'}")
            (tree / file).write_text(original)
            noticed = found["killed"] + found["hung"]
            rows.append(f"| `{file}` | {sum(found.values())} | {noticed} | {found['survived']} |")
            click.echo(rows[-1], err=True)
    click.echo("\n| file | mutants | noticed | survived |\n|---|---|---|---|\n" + "\n".join(rows))


def tracked() -> list[str]:
    """Return the files that git tracks, or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return listed.stdout.splitlines()


if __name__ == "__main__":
    main()
