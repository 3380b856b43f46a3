"""``workflow-service simulate``: tries a template in a file, without any server."""
