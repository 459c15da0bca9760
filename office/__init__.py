"""Office verbs: load rows, ask the rules, write rows; one package per noun."""
