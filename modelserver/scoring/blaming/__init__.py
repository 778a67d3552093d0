"""Whose fault it is when a model fails: proven, not guessed.

In: the exception that a prediction raised, the model and its input. Out: the `ApiError` to answer.
"""
