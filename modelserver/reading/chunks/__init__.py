"""Tables that are read in chunks while they are received, since they may be larger than memory.

A format that can be cut has a `Chunker`, which `formats` names in its row. It gets the body part by
part, and returns chunks of whole rows. Each chunk is a table of its own, which the format's reader
reads as it reads any body. `chunk` says what all of them have in common.
"""
