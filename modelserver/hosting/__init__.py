"""The process and where it runs: settings, log, memory, sockets, Posit Connect and its login.

In: environment variables and signals. Out: frozen settings, a `Login`, log lines, an app that is
served. Imports `errors` at most, so that every room may read settings and write to the log.
"""
