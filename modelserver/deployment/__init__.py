"""Before a deployment: the commands of `python main.py`. The server imports nothing of it.

In: command lines, the project's folder, a registered model. Out: lines for a person to read, and
the files that rsconnect sends. `packages` handles the lines of requirements.txt, `checks` is the
pre-flight.
"""
