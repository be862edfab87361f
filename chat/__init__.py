"""The domain: its services, rules, model and errors. It contains no network code and no SQL.

`run` builds the services and passes settings, repositories and the clock as arguments. This package must not import
`store`: a Protocol beside each service describes the repository that the service needs.
"""
