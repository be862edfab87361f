"""The benchmark (`make bench` or `python -m bench`).

It measures the server, and for comparison a bare Tornado echo and the database design of the first version.
"""
