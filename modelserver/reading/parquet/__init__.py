"""Parquet: the bytes of a file to model input, where pyarrow is installed.

In: a body. Out: a `Payload`, a `Table` or a DataFrame, with the types that the file gives its
columns. Only `reader` is imported from elsewhere; pyarrow is imported when a file is read.
"""
