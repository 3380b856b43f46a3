"""JSON too large for a document is kept in GridFS, and a reference stands in its place.

A file is written before the update that refers to it and never changes: its id ends in a digest of its content. So
writing it twice is harmless, and whoever loses a compare-and-set with other content touches nothing of the winner's.
The id begins with the document's id, so that the files of an execution can be found when it is removed.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from gridfs import GridFSBucket
from gridfs.errors import FileExists
from pymongo.errors import AutoReconnect

from workflow_service.repositories.mongo.connection import Store
from workflow_service.repositories.mongo.json_values import decode_json, encode_json, json_text
from workflow_service.repositories.mongo.writes import new_token

LIMIT_BYTES = 256 * 1024
"""JSON larger than this does not stay in the document."""
_FILE_KEY = "%file"


class LargeValues:
    """Stores and loads JSON fields of documents, wherever they are kept."""

    def __init__(self, store: Store) -> None:
        """Take the database; its default GridFS bucket is used."""
        self._store = store

    def encode(self, owner: str, field: str, value: Any) -> Any:
        """Return what stands in the document for a JSON value, which is in GridFS by then if it is large.

        Args:
            owner: names the document and the moment in its life.
            field: the document's field.
        """
        text = json_text(value)
        if len(text) <= LIMIT_BYTES:
            return encode_json(value)
        content = text.encode("ascii")
        return {_FILE_KEY: self._write(f"{owner}:{field}:{hashlib.sha256(content).hexdigest()[:32]}", content)}

    def decode(self, stored: Any) -> Any:
        """Return the JSON value."""
        if isinstance(stored, dict) and _FILE_KEY in stored:
            return json.loads(self._bucket.open_download_stream(stored[_FILE_KEY]).read())
        return decode_json(stored)

    def _write(self, file_id: str, content: bytes) -> str:
        """Write a file that may be there already; return the id of a complete file with this content."""
        if self._is_complete(file_id):
            return file_id
        try:
            self._bucket.upload_from_stream_with_id(file_id, file_id, content)
            return file_id
        except (FileExists, AutoReconnect):
            if self._is_complete(file_id):
                return file_id
        # somebody is writing it, or died over it: leave that alone
        own_id = f"{file_id}:{new_token()}"
        self._bucket.upload_from_stream_with_id(own_id, own_id, content)
        return own_id

    def _is_complete(self, file_id: str) -> bool:
        return self._store.collection("fs.files").find_one({"_id": file_id}, {"_id": 1}) is not None

    @property
    def _bucket(self) -> GridFSBucket:
        return GridFSBucket(self._store.database)
