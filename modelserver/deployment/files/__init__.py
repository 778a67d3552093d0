"""Which files go to Posit Connect, and which would without our list.

In: the project's folder, names that a person gave. Out: paths with sizes, and what should not leave
this machine. Nothing is written or sent.
"""
