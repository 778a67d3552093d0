"""A prediction to the bytes of an answer.

In: whatever a model returns. Out: JSON, valid whatever it holds, and tags of bytes. Pure; imports
`errors` only.
"""
