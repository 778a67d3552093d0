"""What people look at: the model's page, Swagger UI, ReDoc, and the files that they need.

In: the state of the process and the model's description. Out: responses. No page loads anything
from another server, and no link is absolute. May import `service` and what stands below it; beside
`app` and `middleware`, this is the only room that knows HTTP.
"""
