"""Fast ways to read large plain JSON: each consumes a body and returns what the plain way would.

In: the body, and what the signature allows. Out: the same table or numbers as `json_text` and
`input_forms` would give, or None for whatever is not plain. They refuse nothing themselves.
"""
