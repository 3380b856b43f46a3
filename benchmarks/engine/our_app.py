"""The service as it is measured: what ``bootstrap`` puts together, on adapted ports. Import it before it is built."""

from __future__ import annotations

from typing import Any

from benchmarks.engine import addresses, counting
from benchmarks.engine.driving import Ends
from benchmarks.engine.our_ports import adapted
from workflow_service import bootstrap
from workflow_service.services import engine

_counted = counting.counted_here()
counting.count_database_operations(_counted)


def _build_engine(ports: engine.Ports, *arguments: Any, **named: Any) -> engine.Engine:
    ends = Ends(addresses.address(addresses.BROKER))
    return engine.build_engine(adapted(ports, ends, _counted), *arguments, **named)


# the one place where the measured service differs: everything else is the code of production
setattr(bootstrap, "build_engine", _build_engine)
