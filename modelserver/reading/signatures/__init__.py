"""The four ways in which models are typed: columns, tensors, type hints, or not at all.

`compiling` makes one `Signature` per model; its class depends on how the model is typed. In:
decoded JSON values, tables and files. Out: a `Payload`; what does not fit raises `BadRequest` or
`InvalidInput`. Stands on `types`. The readers of the formats call its methods.
"""
