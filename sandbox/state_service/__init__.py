"""The reference State Management Service: workspaces, plays, blocks, recovery points, context, changes.

Its wire contract is ``docs/contracts/state-service.yaml``. It knows nothing of the workflow service: a play
is what the engine calls an execution, and everything that the engine reports is stored as it was reported.
"""
