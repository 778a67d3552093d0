"""`make soak`: load, faults and bad requests, tried on the real server; writes RELIABILITY.md.

A part of the campaign is a module with one function: it takes an `Extent`, starts what it needs
on the loopback interface, and gives back the lines of its table. A new part is a module and a row
of `__main__.PARTS`. `make test` runs each part in its smallest extent.
"""
