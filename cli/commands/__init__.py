"""The commands: each one reads its arguments, calls the API, and shows the answer."""
