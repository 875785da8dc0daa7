"""A chat in the terminal, for the Python SDK of 2024.

Lines are said to everybody, `/name ada` gives the user a name, an empty line ends the program. The server is taken from
CHAT_HOST; `--client N` keeps several users of one machine apart.
"""

import asyncio
import os
import threading
from multiprocessing import Queue

import spacetimedb_sdk.local_config as local_config
from spacetimedb_sdk.spacetimedb_async_client import SpacetimeDBAsyncClient

import module_bindings
import module_bindings.send_message_reducer as send_message_reducer
import module_bindings.set_name_reducer as set_name_reducer
from module_bindings.message import Message
from module_bindings.user import User

input_queue = Queue()
local_identity = None


def shown_name(user):
    """His name, or the first digits of his identity."""
    if user is None:
        return "somebody"
    return user.name or str(user.identity)[:8]


def on_user_row_update(row_op, old, user, reducer_event):
    if row_op == "insert":
        if user.online:
            print(f"{shown_name(user)} is here")
    elif row_op == "update":
        if user.online and not old.online:
            print(f"{shown_name(user)} is back")
        if old.online and not user.online:
            print(f"{shown_name(user)} has left")
        if old.name != user.name:
            print(f"{shown_name(old)} is now {shown_name(user)}")


def on_message_row_update(row_op, old, message, reducer_event):
    # Without an event it is of the backlog, which comes in order below.
    if row_op == "insert" and reducer_event is not None:
        print_message(message)


def print_message(message):
    print(f"{shown_name(User.filter_by_identity(message.sender))}: {message.text}")


def on_set_name(sender, address, status, message, name):
    if sender == local_identity and status == "failed":
        print(f"the name {name!r} was refused: {message}")


def on_send_message(sender, address, status, message, text):
    if sender == local_identity and status == "failed":
        print(f"the message {text!r} was refused: {message}")


def on_subscription_applied():
    print("* connected")
    for message in sorted(Message.iter(), key=lambda entry: entry.sent):
        print_message(message)


def check_commands():
    if not input_queue.empty():
        command, text = input_queue.get()
        if command == "name":
            set_name_reducer.set_name(text)
        else:
            send_message_reducer.send_message(text)
    spacetime_client.schedule_event(0.1, check_commands)


def register_callbacks(client):
    client.client.register_on_subscription_applied(on_subscription_applied)
    User.register_row_update(on_user_row_update)
    Message.register_row_update(on_message_row_update)
    set_name_reducer.register_on_set_name(on_set_name)
    send_message_reducer.register_on_send_message(on_send_message)
    client.schedule_event(0.1, check_commands)


def on_connect(auth_token, identity):
    global local_identity
    local_identity = identity
    local_config.set_string("auth_token", auth_token)


def run_client(client):
    asyncio.run(
        client.run(
            local_config.get_string("auth_token"),
            os.environ.get("CHAT_HOST", "localhost:3000"),
            "chat",
            False,
            on_connect,
            ["SELECT * FROM User", "SELECT * FROM Message"],
        )
    )


def input_loop():
    while True:
        line = input()
        if line == "":
            return
        if line.startswith("/name "):
            input_queue.put(("name", line[len("/name "):]))
        else:
            input_queue.put(("message", line))


if __name__ == "__main__":
    local_config.init(".chorale-python-chat")
    spacetime_client = SpacetimeDBAsyncClient(module_bindings)
    register_callbacks(spacetime_client)
    thread = threading.Thread(target=run_client, args=(spacetime_client,))
    thread.start()
    input_loop()
    spacetime_client.force_close()
    thread.join()
