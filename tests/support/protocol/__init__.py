"""A stage on which the real services play with every interleaving and fault that a schedule asks for."""
