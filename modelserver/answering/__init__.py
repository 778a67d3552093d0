"""A prediction to the bytes of an answer.

In: whatever a model returns, and what a client accepts. Out: JSON, valid whatever it holds, and
tags of bytes. Pure; imports `errors` only.
"""
