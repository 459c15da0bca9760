"""Independent recounts that tests compare the program's figures with."""
