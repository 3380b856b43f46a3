"""What the service shows to Prometheus. Only this package knows how: the others are watched, or tell a function."""
