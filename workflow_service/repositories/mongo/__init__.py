"""Repositories on MongoDB: mongoengine declares the documents, pymongo writes them.

The rules below come from measurements and from faults that were provoked; the embedded server sets most of them.

- Every change is one ``update_one`` filtered on the id, the workspace and the version. ``find_one_and_update`` reads
  the whole collection on the embedded server.
- No ranges on ``_id`` and no index on an execution's blocks there: known ids are asked for by ``$in``.
- No retryable writes: the embedded server keeps a register of them that makes each write slower. A write whose reply
  was lost is read back instead (``writes``).
- A document is converted by the fields that its mongoengine class declares, without building an instance of it, which
  would take six times as long (``codec``).
- JSON of users is made fit for BSON, and large JSON goes to GridFS (``json_values``, ``large_values``).
"""
