"""A signature and an example to the OpenAPI document.

In: `openapi_base.yaml`, a `Model`. Out, once per load: the document as JSON and YAML, and what the
model's page asks a person for. The document's schemas come from the type table that the readers
parse by. No HTTP, nothing asynchronous.
"""
