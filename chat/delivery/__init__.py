"""Delivery of committed entries to the listeners of this process."""
