"""The ways in which an agent does its work: one file for each tool type, and the echo agent."""
