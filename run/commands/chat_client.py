"""`sottovoce chat`: start the command-line client, a JavaScript program that shares the web client's code."""

import os
import shutil
from pathlib import Path

import click

WEB = Path(__file__).parent.parent.parent / "web"


@click.command("chat", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def chat(words: tuple[str, ...]) -> None:
    """Chat from the command line (needs Node); see `sottovoce chat --help`."""
    node = shutil.which("node")
    if node is None:
        raise click.ClickException("the command-line client needs Node 20 or newer")
    if not (WEB / "node_modules").exists():
        raise click.ClickException(f"the client's libraries are missing; run `npm ci` in {WEB}")
    os.execv(node, [node, str(WEB / "cli.js"), *words])  # noqa: S606 no shell; `node` comes from `which`
