"""A program of its own that streams replies through the real stores until it is killed.

Each line it prints is a fact: "sent ID LENGTH", "grew ID LENGTH", "kept ID LENGTH" after the call has returned, and
"made ID LENGTH" for text that has come but need not be saved yet. The text is the same letter pattern everywhere, so
its length says all.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

PATTERN = "".join(chr(97 + number % 26) for number in range(997))


def text_of(length: int) -> str:
    """The first `length` characters of any message."""
    return (PATTERN * (length // len(PATTERN) + 1))[:length]


def stream(home: Path, token_s: float, save_s: float) -> None:
    """Send, stream and end replies for ever, a token each `token_s`, saved each `save_s`, both in seconds."""
    from app.core.chat import MessageState, Provenance
    from app.storage.stores import open_stores

    rng = random.Random()
    stores = open_stores(home / "orcinus.db")
    chat = stores.chats.create("starter", title="killed")
    leaf = None
    while True:
        length = rng.randrange(10, 3000)
        user, reply = stores.chats.add_turn(chat.id, leaf, text_of(length))
        say("sent", user.id, length)
        say("sent", reply.id, 0)
        made = saved = 0
        last = time.monotonic()
        for _ in range(rng.randrange(20, 200)):
            time.sleep(token_s)
            made += 5
            say("made", reply.id, made)
            if time.monotonic() - last >= save_s:
                stores.chats.append_chunk(reply.id, text_of(made)[saved:])
                saved, last = made, time.monotonic()
                say("grew", reply.id, made)
        stores.chats.finish(reply.id, MessageState.DONE, text_of(made), tuple(range(made)), Provenance(seed=made))
        say("kept", reply.id, made)
        leaf = reply.id
        if rng.random() < 0.15:
            stores.chats.purge(stores.chats.create("starter", title="gone").id)
        if rng.random() < 0.15:
            stores._backups.make(stores._database.connection)
        if rng.random() < 0.2:
            stores.settings.set("app", "text_size", leaf)
            say("size", leaf, 0)


def say(fact: str, message_id: int, length: int) -> None:
    """Print at once: the parent counts on every line that it has read."""
    sys.stdout.write(f"{fact} {message_id} {length}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent.parent))
    stream(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
