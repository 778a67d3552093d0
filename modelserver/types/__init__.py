"""The types of columns, tensors and params, and tables of them: both flows work with these.

In: the parts of a signature, as its JSON spells them, and the cells that a reader found. Out: the
arrays, frames and params that a model gets, or one detail per fault. Pure: no HTTP, no MLflow, no
environment, nothing asynchronous. May import `errors` only.
"""
