"""Bytes of a request to a typed payload.

In: the texts of headers, and a body. Out: a `Payload` with the types of the signature. What cannot
be read raises an `ApiError`, which names the place. Stands on `types`, and is pure like it. `fast`
has faster ways for large plain bodies; for each there is a plain way here that does the same.
"""
