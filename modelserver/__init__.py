"""Serves one MLflow model as a REST API.

Two flows that meet in `types`: scoring, once per request (`reading`, `scoring`, `answering`), and
description, once per load (`describing`, `pages`). `loading` makes the model that both begin with,
`hosting` the process around it; `app` puts them together. `deployment` is for the time before. A
room stands on those below it and never looks up; the order is in pyproject.toml, and tested.
"""
