"""Types with parts: MLflow's arrays, objects and maps, in cells of a column.

In: a type as the signature's JSON spells it. Out: its `Kind`, like a row of the type table. May
import what `types` may.
"""
