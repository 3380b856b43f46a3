"""What many tests need: real servers, started and stopped around a test."""
