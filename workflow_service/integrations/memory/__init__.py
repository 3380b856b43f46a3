"""The services around us in memory, for tests and simulation: the same ports, kept by the same contract tests."""
