"""Why a model could not be loaded, in words that say what to do.

In: an exception and the `Attempt` that it ended. Out: one or two sentences for the person who
publishes the model, without paths, keys or tracebacks. Each step has its own rules; the words of
MLflow's messages are in `mlflow_internals`. Nothing is raised. `loading.attempt` calls it; it may
import what `loading` may.
"""
