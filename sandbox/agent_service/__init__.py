"""The reference Agent Service: keeps the contract in ``docs/contracts/agent-service.yaml`` and really does the work."""
