"""How things look in a terminal: pure functions from the API's documents to what rich can print."""
