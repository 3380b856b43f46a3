"""The command line ``workflow-service``: a client of the REST API for people and scripts."""
