"""The pre-flight: what a deployment lacks, and the line that mends it.

In: environment variables, the project's folder. Out: one `Check` at a time, and the report. What is
wrong is found, never raised.
"""
