"""What people look at: the model's page, Swagger UI, ReDoc, and the files that they need.

In: the state of the process and the model's description. Out: responses; no page asks another
server for anything, and no link is absolute. With `app` and `middleware` the only rooms that know
of HTTP.
"""
