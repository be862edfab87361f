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
from fnmatch import fnmatch
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parent.parent
UNBROKEN_S = 3600.0  # for the tests of one file without a mutant; each mutant gets five times what they took

# Which tests have to notice: the first pattern that fits. The quick ones come first, and the first failure is enough.
TESTS = {
    "chat/mls/commit_rules.py": ["tests/mls/test_bounds.py", "tests/mls/test_commit_rules.py"],
    "crypto/mls/*": ["tests/mls/test_bounds.py", "tests/mls/test_frames.py"],
    "crypto/*": ["tests/test_crypto.py", "tests/test_hashing.py"],
    "chat/accounts/validation.py": ["tests/test_validation.py"],
    "chat/accounts/pictures.py": ["tests/test_pictures.py"],
    "chat/accounts/invites.py": ["tests/test_invites_keys.py", "tests/test_invites_invites.py"],
    "chat/accounts/*": [
        "tests/test_codes_accounts.py",
        "tests/test_invites_accounts.py",
        "tests/v2",
        "tests/test_limits.py",
    ],
    "chat/limits.py": ["tests/test_limits.py"],
    "chat/delivery/*": ["tests/test_hub.py", "tests/test_hub_faults.py", "tests/test_hub_property.py"],
    "chat/mls/*": ["tests/v2", "tests/test_limits.py"],
    "handlers/http/peers.py": ["tests/test_peers.py"],
    "handlers/http/admission.py": ["tests/test_admission.py"],
    "handlers/websocket/frames.py": ["tests/test_frames.py"],
    "handlers/websocket/*": [
        "tests/test_socket_bounds.py",
        "tests/test_codes_socket.py",
        "tests/v2/test_direct_live.py",
    ],
    "handlers/v2/*": ["tests/v2"],
    "store/database/expiry.py": ["tests/test_expiry.py"],
    "store/database/embedded.py": [
        "tests/test_system_user.py",
        "tests/test_embedded.py",
        "tests/test_embedded_refusals.py",
    ],
    "store/writer/*": ["tests/test_write_queue.py", "tests/test_write_queue_faults.py"],
    "*": ["tests"],
}
IMPORTED = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"  # by this program, before it forks
FIRST = ["chat/mls/commit_rules.py", "chat/limits.py", "handlers/http/peers.py", "handlers/websocket/frames.py"]

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


def tests_of(file: str) -> list[str]:
    return next(tests for pattern, tests in TESTS.items() if fnmatch(file, pattern))


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
@click.option("--tests", "chosen", multiple=True, help="Instead of those that are known for the file.")
@click.argument("files", nargs=-1)
def main(chosen: tuple[str, ...], files: tuple[str, ...]) -> None:
    """Survivors, each with its line, and a row for each file."""
    preload()
    rows = []
    with tempfile.TemporaryDirectory(prefix="sottovoce-mutants-") as folder:
        tree = Path(folder)
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        for name in listed.stdout.splitlines():
            if (ROOT / name).is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, tree / name)
        for file in files or FIRST:
            tests = list(chosen) or tests_of(file)
            began = time.monotonic()
            unbroken = outcome(tree, tests, UNBROKEN_S)
            assert unbroken == "survived", f"they fail without a mutant: {(tree / 'pytest.log').read_text()}"
            within_s = 60 + 5 * (time.monotonic() - began)
            original = (ROOT / file).read_text()
            found = {"killed": 0, "survived": 0, "hung": 0}
            for mutant in mutants(file, original):
                (tree / file).write_text(mutant.source)
                what = outcome(tree, tests, within_s)
                found[what] += 1
                if what == "survived":
                    was, becomes = (" ".join(code.split()) for code in (mutant.was, mutant.becomes))
                    click.echo(f"{file}:{mutant.line}: {was}  ->  {becomes}")
            (tree / file).write_text(original)
            noticed = found["killed"] + found["hung"]
            rows.append(f"| `{file}` | {sum(found.values())} | {noticed} | {found['survived']} |")
            click.echo(rows[-1], err=True)
    click.echo("\n| file | mutants | noticed | survived |\n|---|---|---|---|\n" + "\n".join(rows))


if __name__ == "__main__":
    main()
