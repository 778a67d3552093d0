"""Serves one MLflow model as a REST API.

There are two flows: scoring, once per request (`reading`, `scoring`), and description, once per
load (`describing`, `pages`). Both use `types`, and the model that `loading` makes. `hosting` has
the process around them, and `app` puts everything together. `deployment` is used before the server
runs. A room imports only rooms below it; pyproject.toml has the order, which import-linter checks.
"""
