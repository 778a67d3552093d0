"""Protocols of other model servers, for clients that people have already.

MLflow's own protocol is what all other rooms serve. `table` has a row for each further one: which
paths it adds, how its requests are read and its answers written, what it shows. Requests reach the
model through its signature and are predicted as those to /invocations. To take a protocol away,
delete its row, its module, and its paths in `openapi_base.yaml`.
"""
