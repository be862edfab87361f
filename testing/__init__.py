"""Shared by tests and the benchmark: servers, in this process or in their own, and clients of them."""
