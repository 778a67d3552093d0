"""A prediction to the bytes of an answer.

In: whatever a model returns, and the headers in which a client says what it accepts. Out: JSON,
always valid, and entity tags of bytes. Pure; imports `errors` only.
"""
