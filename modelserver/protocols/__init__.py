"""Protocols of other model servers, for clients that people have already.

MLflow's own protocol is what all other rooms serve. `table` has a row for each further one: which
paths it adds, and the functions of its module that make the answers. Requests are read, checked and
predicted as those to /invocations. Deleting a row and its module takes the protocol away.
"""
