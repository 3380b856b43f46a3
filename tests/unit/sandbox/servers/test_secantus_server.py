"""The index catalogue that the embedded server remembers, alone and in a server that runs."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from sandbox.servers.secantus_server import SETTLED_AFTER_S, Catalogue
from tests.support.services import running_mongodb

Index = tuple[str, dict[str, Any], dict[str, Any]]
FIRST: Index = ("first", {"a": 1}, {})
SECOND: Index = ("second", {"b": 1}, {"unique": True})


class Disk:
    """Lists of indexes that are read, and how often they were."""

    def __init__(self) -> None:
        self.listed: list[Index] = [FIRST]
        self.reads = 0

    def read(self) -> Iterable[Index]:
        self.reads += 1
        return list(self.listed)


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def names(catalogue: Catalogue, disk: Disk, collection: str = "c") -> list[str]:
    return [name for name, _, _ in catalogue.indexes("db", collection, disk.read)]


def test_a_list_is_read_once_when_nothing_has_changed_for_a_while() -> None:
    clock, disk = Clock(), Disk()
    catalogue = Catalogue(clock)
    clock.now_s = 1.5

    assert [names(catalogue, disk) for _ in range(3)] == [["first"]] * 3
    assert disk.reads == 1
    assert names(catalogue, disk, "another") == ["first"]
    assert disk.reads == 2


def test_right_after_a_change_each_reading_is_of_the_disk() -> None:
    clock, disk = Clock(), Disk()
    catalogue = Catalogue(clock)
    clock.now_s = 1.5
    names(catalogue, disk)

    catalogue.change()
    names(catalogue, disk)  # from before the change, as it is still on its way
    disk.listed.append(SECOND)
    clock.now_s = 2.4

    assert names(catalogue, disk) == ["first", "second"]
    assert disk.reads == 3


def test_what_was_read_before_a_change_is_not_remembered_after_it() -> None:
    clock, disk = Clock(), Disk()
    catalogue = Catalogue(clock)
    clock.now_s = 1.5

    def read_slowly() -> Iterable[Index]:
        found = list(disk.listed)
        catalogue.change()  # by somebody else
        disk.listed.append(SECOND)
        clock.now_s = 5.0
        return found

    list(catalogue.indexes("db", "c", read_slowly))

    assert names(catalogue, disk) == ["first", "second"]


# the server counts the seconds: there is nothing to wait for but time
@pytest.mark.parametrize("pause_s", [0.0, 1.2 * SETTLED_AFTER_S], ids=["read anew", "remembered"])
def test_a_server_obeys_an_index_from_the_moment_that_it_is_there(tmp_path: Path, pause_s: float) -> None:
    client: MongoClient[dict[str, Any]]
    with running_mongodb(tmp_path) as server, MongoClient(server.url) as client:
        things: Collection[dict[str, Any]] = client.get_default_database()["catalogue_things"]
        things.insert_many([{"_id": number, "a": number, "b": [number, "x"]} for number in range(20)])
        time.sleep(pause_s)
        assert things.count_documents({"a": 7}) == 1

        things.create_index("a", unique=True)
        with pytest.raises(DuplicateKeyError):
            things.insert_one({"_id": 100, "a": 7})
        time.sleep(pause_s)
        assert things.count_documents({"a": {"$gte": 18}}) == 2

        things.create_index("b")
        assert things.count_documents({"b": "x"}) == 20
        things.update_one({"_id": 3}, {"$set": {"b": ["y", "z"]}})
        assert things.count_documents({"b": "z"}) == 1

        things.drop_index("a_1")
        things.insert_one({"_id": 101, "a": 7})
        assert things.count_documents({"a": 7}) == 2
        things.drop()
        assert list(things.list_indexes()) == []
