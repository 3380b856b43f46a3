"""The shapes of requests and responses, which are also what the OpenAPI document shows."""
