"""Parquet and Arrow: typed columns to model input, if pyarrow is installed.

In: a body. Out: a `Payload`, a `Table` or a DataFrame, with the types that the body gives its
columns. Other rooms import only `reader`; pyarrow is imported when a body is read.
"""
