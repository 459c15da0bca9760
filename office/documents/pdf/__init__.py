"""The office's papers as PDF (§10).

`filing.draw` makes a paper from its value, `press.print_papers` prints one or thousands, `template` holds the
texts that an office may reword, `samples` has an example of each. Nothing here reads the database or a clock.
"""
