"""The tests: the same tree as the program, with factories, oracles, benches and kill tests beside it."""
