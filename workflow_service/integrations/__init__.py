"""Adapters of the services around us: the Agent Service and the State Management Service, over HTTP and in memory."""
