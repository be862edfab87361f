"""Run the server: settings, first start, processes, TLS, and the operator's commands.

Only this package and `server.py` import every other package. They build the parts and connect them.
"""
