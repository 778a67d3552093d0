"""Settings to a loaded model: looked up, fetched, loaded, asked once.

In: settings. Out: a `Model` that predicts, or `LoadFailed` with advice. MLflow is imported inside
functions, so that a server listens before those seconds are spent. Stands on `scoring`, whose
`Model` it makes.
"""
