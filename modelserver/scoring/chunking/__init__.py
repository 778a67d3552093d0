"""Tables that are larger than memory: read, predicted and answered chunk by chunk.

In: a request's body while it arrives, and a `Model`. Out: the answer in a temporary file, or the
error of the first chunk that has one. Stands on `scheduling`, on `reading.chunks` and on
`answering`, and may import what `scoring` may.
"""
