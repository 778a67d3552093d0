"""A model's packages beside those of the server: lines of requirements.txt.

In: the lines that a model was logged with, and a person's requirements file. Out: the file with one
line for each package; or the contradictions, with the number of each line and what to write there.
Nothing is installed here. Imports nothing of the server.
"""
