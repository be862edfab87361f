"""The domain: its services, rules, model and errors. It contains no I/O and reads no environment variable.

`run` builds the services and passes everything that they need as arguments. This package must not import `store`: a
Protocol beside each service describes the repository that the service needs.
"""
