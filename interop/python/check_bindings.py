"""Reads rows of the bindings `zoo` as the SDK does and writes them again; prints what it has seen as JSON."""

import json
import sys

from spacetimedb_sdk.client_cache import ClientCache

import zoo
from zoo.zoo_animal import ZooAnimal
from zoo.delete_reducer import _decode_args

cache = ClientCache(zoo)
row, args = json.load(sys.stdin)
animal = cache.decode("ZooAnimal", row)
folder, until = _decode_args(args)
print(
    json.dumps(
        {
            "tables": sorted(cache.tables),
            "reducers": sorted(cache.reducer_cache),
            "row": animal.encode(),
            "args": [folder.encode(), {"1": []} if until is None else {"0": until}],
            "seen": [animal.tag_name, animal.body.tag, animal.tree.children[0].name, animal.color.tag, str(animal.key)],
        }
    )
)
