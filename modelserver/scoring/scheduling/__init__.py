"""When and where work is done: on the event loop, in threads, alone or joined with other work.

In: a function, a timeout, and whether the function is small. Out: what it returns or raises.
`workers` explains how. Nothing here knows of models or HTTP; it may import `errors`.
"""
