"""Private names of tornado: all that we use are listed, and the server refuses to start if one is missing."""

import ast
import re
from types import SimpleNamespace

import pytest

from handlers import tornado_internals
from handlers.tornado_internals import INTERNALS, SUPPORTED, Internal, check, missing
from testing.tree import ROOT

SOURCES = [*(ROOT / "handlers").rglob("*.py"), *(ROOT / "run").rglob("*.py")]


def test_internals_of_the_installed_tornado_are_complete() -> None:
    assert list(missing()) == []


def other() -> None:
    """A function of another tornado version, which does not use the name."""


CHANGES = [
    *((internal, internal._replace(set_by=other)) for internal in INTERNALS if internal.set_by),
    *((internal, internal._replace(used_by=other)) for internal in INTERNALS if internal.used_by),
    *((internal, internal._replace(owner=SimpleNamespace())) for internal in INTERNALS if not internal.set_by),
]


@pytest.mark.parametrize(("internal", "changed"), CHANGES, ids=lambda internal: internal.name)
def test_check_without_an_internal_names_it_and_the_version(
    internal: Internal, changed: Internal, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = (one for one in INTERNALS if one != internal)
    monkeypatch.setattr(tornado_internals, "INTERNALS", (*others, changed))
    with pytest.raises(ImportError, match=rf"{internal.name}, which .*: install tornado{re.escape(SUPPORTED)}"):
        check()


def test_bounds_of_the_version_are_those_of_setup() -> None:
    assert f'"tornado{SUPPORTED}"' in (ROOT / "setup.py").read_text()


def test_private_names_of_tornado_are_all_listed() -> None:
    """A private attribute that none of our classes defines belongs to tornado."""
    used: dict[str, str] = {}
    ours: set[str] = set()
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tornado"):
                used |= {alias.name: file.name for alias in node.names if alias.name.startswith("_")}
            elif isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
                if isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name) and node.value.id == "self":
                    ours.add(node.attr)
                else:
                    used[node.attr] = file.name
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                ours.add(node.name)
            elif isinstance(node, ast.AnnAssign | ast.Assign):
                targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
                ours |= {target.id for target in targets if isinstance(target, ast.Name)}
    listed = {internal.name for internal in INTERNALS}
    assert {name: file for name, file in used.items() if name not in ours | listed} == {}
    assert {"_websocket_mask", "_handle_message", "_abort", "_write_buffer"} <= set(used), (
        "the search must find known names"
    )
