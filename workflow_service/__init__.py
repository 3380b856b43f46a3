"""The Agentic Workflow Service: workflows of agents with people in the loop.

This package is the service itself and knows neither Flask nor Celery. Arrows point inwards:
``bootstrap > repositories | integrations | config > services > domain``.
"""
