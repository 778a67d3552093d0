"""A payload to a prediction: how a model is asked, proven, joined, timed, and blamed.

In: a request, a `Model`. Out: the bytes of an answer, or an `ApiError` that says whose fault it
was. Stands on `reading`, `answering` and `types`; `workers` and `jobs` are the only asynchronous
modules, MLflow's own classes are asked where an input does not fit them.
"""
