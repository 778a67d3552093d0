"""Before a deployment: the commands of `python main.py`. The server imports nothing of it.

In: command lines, the project's folder, a model where it is registered. Out: lines for a person,
files that rsconnect sends. `packages` has the lines of requirements.txt, `checks` the pre-flight.
"""
