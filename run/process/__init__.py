"""The processes: main, worker, child."""
