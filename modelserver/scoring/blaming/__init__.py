"""Whose fault it is when a model fails: proven, not guessed.

In: what a prediction raised, the model and its input. Out: the `ApiError` that answers.
"""
