"""A storm: executions, people, operators and faults, all drawn from one seed, on real processes."""
