"""Description, once per model load: the signature and the example as an OpenAPI document."""
