"""What the script agents of the demo run, each in a process of its own."""
