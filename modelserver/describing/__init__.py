"""A signature and an example to the OpenAPI document.

In: `openapi_base.yaml`, a `Model`. Out: the document as JSON and YAML, once per load. Its schemas
come from the type table that the readers parse by. No HTTP, nothing asynchronous.
"""
