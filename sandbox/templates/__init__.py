"""Sample workflow templates."""
