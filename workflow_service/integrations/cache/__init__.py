"""A cache in Redis, before agents and templates. It may be empty, wrong or gone: then it only saves nothing."""
