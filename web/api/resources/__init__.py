"""The endpoints: each one parses, calls one use case, and answers."""
