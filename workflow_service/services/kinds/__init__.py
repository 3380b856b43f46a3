"""What is done by blocks that no agent does, one kind a file."""
