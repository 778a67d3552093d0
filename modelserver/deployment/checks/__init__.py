"""The pre-flight: what a deployment lacks, and the line that corrects it.

In: environment variables, the project's folder. Out: one `Check` at a time, and the report. Faults
are reported, never raised. May import every room; `commands` and `publishing` import it.
"""
