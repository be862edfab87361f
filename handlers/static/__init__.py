"""The files of the web client."""
