"""Measurements of the service on this machine; no part of the product, and nothing imports it."""
