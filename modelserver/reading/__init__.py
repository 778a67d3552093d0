"""Bytes of a request to a typed payload.

In: header texts and a body. Out: a `Payload`, typed as the signature says; what cannot be read
raises an `ApiError` that names the place. Pure, as `types` is, on which it stands. `fast` has the
ways that large plain bodies take; each has a plain way beside it here that does the same.
"""
