"""A model's packages beside those of the server: lines of requirements.txt.

In: the lines that a model was logged with, and a file of a person. Out: the file with one line for
each package, or what contradicts, by number and with the edit. Nothing is installed here.
"""
