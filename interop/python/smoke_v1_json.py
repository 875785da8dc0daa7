"""Speaks v1.json to the chat with nothing but a WebSocket: follows the users, takes a name, prints what it heard."""

import json
import sys

from websocket import create_connection

host = sys.argv[1]
socket = create_connection(
    f"ws://{host}/v1/database/chat/subscribe", subprotocols=["v1.json.spacetimedb"], timeout=10
)


def say(message):
    socket.send(json.dumps(message))


def hear():
    return json.loads(socket.recv())


hello = hear()["IdentityToken"]
say({"SubscribeMulti": {"query_strings": ["SELECT * FROM user"], "request_id": 1, "query_id": {"id": 7}}})
applied = hear()["SubscribeMultiApplied"]
say({"CallReducer": {"reducer": "set_name", "args": json.dumps(["json"]), "request_id": 2, "flags": 0}})
update = hear()["TransactionUpdate"]
socket.close()

[table] = update["status"]["Committed"]["tables"]
[change] = table["updates"]
print(
    json.dumps(
        {
            "subprotocol": socket.getsubprotocol(),
            "users": len(applied["update"]["tables"][0]["updates"][0]["inserts"]),
            "query_id": applied["query_id"],
            "reducer": update["reducer_call"]["reducer_name"],
            "args": json.loads(update["reducer_call"]["args"]),
            "is_mine": update["caller_identity"] == hello["identity"]
            and update["caller_connection_id"] == hello["connection_id"],
            "connection_bits": hello["connection_id"]["__connection_id__"].bit_length() > 64,
            "deleted": json.loads(change["deletes"][0])["name"],
            "inserted": json.loads(change["inserts"][0])["name"],
        }
    )
)
