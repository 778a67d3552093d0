"""A prediction to the bytes of an answer.

In: whatever a model returns, and the headers in which a client says what it accepts. Out: JSON,
always valid, or a table in another format; and entity tags of bytes. `formats` has the formats.
Pure; imports `errors` only.
"""
