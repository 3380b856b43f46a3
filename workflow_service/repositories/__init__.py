"""Where documents are kept: ``mongo`` for service, ``memory`` for tests and simulation. Both answer alike."""
