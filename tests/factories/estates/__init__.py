"""Three made-up real estates, each a folder of the files that its office was given (issue 17, "Shown by").

`living.py` lets the office live its year by its own verbs and imports; what comes out is reckoned again by
tests/oracles/estates, which reads these files too.
"""
