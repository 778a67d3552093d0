"""A payload to a prediction, and the prediction to an answer.

In: a request and a `Model`. Out: the bytes of an answer, or an `ApiError` that says whose fault it
was. `blaming` finds that out, `answering` has the formats of answers, `chunking` is for tables that
are larger than memory. Stands on `reading` and `types`. Only `workers`, `turns` and `jobs` in
`scheduling` know asyncio; all other modules may be called in a thread or on the event loop.
"""
