"""`sottovoce chat`: the command-line client, which is of JavaScript as the web client is."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import click

WEB = Path(__file__).parent.parent / "web"


def run(words: Sequence[str]) -> None:
    """Become the client. Raises ClickException where something is missing."""
    node = shutil.which("node")
    if node is None:
        raise click.ClickException("the command-line client needs Node 20 or newer")
    if not (WEB / "node_modules").exists():
        raise click.ClickException(f"the client's libraries are missing; run `npm ci` in {WEB}")
    os.execv(node, [node, str(WEB / "cli.js"), *words])  # noqa: S606 a program we looked up, and no shell
