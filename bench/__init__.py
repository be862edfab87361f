"""Measures Sottovoce against itself, a bare echo, and the first seed's database. `make bench`, or `python -m bench`."""
