"""Changes of the database that a new version of the service needs, in order; ``python -m migrations`` runs them.

Each module ``mNNNN_*`` has one function ``run``, which may be run again, and by several processes at once, without
harm. What ran is remembered in the collection ``migrations``. A migration that was released is never edited: what is
to change afterwards is a new one.
"""
