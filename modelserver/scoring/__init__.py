"""A payload to a prediction: how a model is asked, proven, joined, timed, and blamed.

In: a request and a `Model`. Out: the bytes of an answer, or an `ApiError` that says whose fault it
was. Stands on `reading`, `answering` and `types`. Only `workers` and `jobs` know asyncio; all other
modules may be called in a thread or on the event loop.
"""
