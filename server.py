"""The entry point: `sottovoce COMMAND`, or `python server.py COMMAND` in a checkout. The default is `serve`."""

import sys

import click

from run.commands.chat_client import chat
from run.commands.invites import invite
from run.commands.serve import check_config, migrate_database, serve
from run.commands.users import user
from run.commands.verify_web import verify_web
from run.version import VERSION


@click.group()
@click.version_option(VERSION, prog_name="sottovoce")
def main() -> None:
    """Sottovoce, a private messenger on your own machine."""


for command in (serve, check_config, migrate_database, verify_web, user, invite, chat):
    main.add_command(command)


if __name__ == "__main__":
    main(sys.argv[1:] or ["serve"])
