"""The parts that all HTTP endpoints share: admission, sessions, parameters, errors."""
