"""CSV: a table as text, with a header, to model input.

`format` is the format's reader and writer. `reader` makes a table of a body, with the types that
pandas infers where these lose nothing. `words` knows the words that cells may be besides numbers
and texts.
"""
