"""CSV: a table as text, with a header, to model input.

`format` is the format's reader and writer. `encoding` and `dialect` find out how the text is
written, `records` splits it into cells. `reader` makes a table of it with the types that
pandas infers where these lose nothing. `decimals` reads numbers with decimal commas, `words` the
words that cells may be besides numbers.
"""
