"""Recomputes a year of an estate from its input files and exports: `python -m tests.oracles.estates FOLDER`.

Standard library only, nothing of the program. FOLDER holds what the office was given (`estate.toml`,
`roster.csv`, `readings.csv` …) and in `out/` what `flask export` gave of it. Every line of every bill, every
share, account and voucher is reckoned again; each difference is named.
"""
