"""The four ways in which models are typed: columns, tensors, type hints, or not at all.

`compiling` makes one `Signature` per model, of the class that fits it. In: decoded JSON values,
tables and files. Out: a `Payload`; what does not fit raises `BadRequest` or `InvalidInput`. Stands
on `types` and on the readers of files; `input_forms` and `payload` pick the method to call.
"""
