"""A signature and an example to the OpenAPI document.

In: `openapi_base.yaml` and a `Model`. Out, once per load: the document as JSON and YAML, and what
the model's page asks a person to fill in. The document's schemas come from the type table that also
parses requests. Stands on `loading` and what is below it. No HTTP, nothing asynchronous.
"""
