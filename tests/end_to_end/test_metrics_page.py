"""No process shows a metric that docs/metrics.md does not explain."""

import re

import httpx2

from stack.demo.installation import Installation
from tests.support.examples import ROOT
from tests.support.metrics import shown

EXPLAINED = re.compile(r"^\| `(attend_\w+)` \|", re.MULTILINE)


async def test_every_metric_of_every_process_is_explained(running: Installation) -> None:
    explained = set(EXPLAINED.findall((ROOT / "docs" / "metrics.md").read_text()))
    found: dict[str, set[str]] = {}
    async with httpx2.AsyncClient() as http:
        for name, url in running.operations_urls.items():
            found[name] = shown((await http.get(f"{url}/metrics")).raise_for_status().text)
    assert {name: families - explained for name, families in found.items() if families - explained} == {}
    assert all(len(families) >= 10 for families in found.values())
    assert explained == set().union(*found.values())
