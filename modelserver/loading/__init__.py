"""Settings to a loaded model: looked up, fetched, loaded, tried once.

In: settings. Out: a `Model` that predicts, or `LoadFailed` with advice. Importing MLflow takes
seconds, so it is imported inside functions, when the server already listens. Stands on `scoring`,
whose `Model` it makes, and may import what stands below it.
"""
