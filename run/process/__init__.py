"""The processes of the server: the main process, and the workers in it or in child processes."""
