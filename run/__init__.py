"""How the house is run: settings, first start, processes, and the operator's commands.

Together with `server.py` this is the only place that sees every part; it builds them and hands them to each other.
"""
