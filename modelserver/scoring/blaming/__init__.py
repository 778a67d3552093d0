"""Whose fault it is when a model fails: proven, not guessed.

In: the exception that a prediction raised, the model and its input. Out: the `ApiError` to answer.
May import `reading`, `types` and `mlflow_internals`; `scoring.request` and `scoring.ways` call it.
"""
