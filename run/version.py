"""The version of this package, for `setup.py`, the APIs and `verify-web`."""

VERSION = "0.1.0"
