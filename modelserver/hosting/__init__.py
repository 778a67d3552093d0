"""The process and where it runs: settings, log, memory, sockets, Posit Connect and its login.

In: environment variables, signals. Out: frozen settings, a `Login`, log lines, an app that is
served. Imports no other room: whatever stands above may ask for a setting or write to the log.
"""
