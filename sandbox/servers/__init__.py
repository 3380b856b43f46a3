"""Real servers as processes of their own: Valkey, a MongoDB-wire server and the reference services.

Building a command line and starting a process are apart, so that a process runner can take the command lines.
"""
