"""An engine's process that says what it is told, and dies when it is told: run by test_host.py."""

from __future__ import annotations

import dataclasses
import faulthandler
import json
import os
import signal
import sys
import time
from pathlib import Path

from app.core.errors import ModelMemoryError
from app.core.placement import Placement
from app.engine.host_process import SharedStopFlag, _take_streams, end_with, serve
from app.engine.scripted import Script, ScriptedEngine


class Mortal(ScriptedEngine):
    """Dies, hangs or prints where its orders say so."""

    def __init__(self, orders, loading):
        said = "one two three four five six seven eight nine ten " * 40
        pace = {"tokens_per_s": 300, "read_tokens_per_s": None}
        super().__init__(Script(replies=(said,), **{rate: orders.get(rate, usual) for rate, usual in pace.items()}))
        self._orders = orders
        layers = orders.get("gpu_layers", 0)
        self._gpu_layers = layers if loading.gpu_layers is None else min(layers, loading.gpu_layers)

    @property
    def facts(self):
        threads = Placement(threads=self._orders.get("threads", 0))
        notices = tuple(self._orders.get("notices", ()))
        return dataclasses.replace(super().facts, gpu_layers=self._gpu_layers, placement=threads, notices=notices)

    def count(self, text):
        if self._orders.get("at") == "count":
            time.sleep(1000)
        return super().count(text)

    def stream(self, request, stop):
        for number, event in enumerate(super().stream(request, stop)):
            if number == self._orders.get("at"):
                self._end()
            yield event

    def stream_many(self, wishes, stop, width=16, *, from_scratch=False):
        for number, told in enumerate(super().stream_many(wishes, stop, width, from_scratch=from_scratch)):
            if number == self._orders.get("at_of_many"):
                self._end()
            yield told

    def _end(self):
        how = self._orders["how"]
        if how == "print":
            sys.stdout.write("llama.cpp says this on standard output\n")
            sys.stdout.flush()
            os.write(1, b"and this without Python\n")
        elif how == "hang":
            time.sleep(1000)
        elif how == "exit":
            os._exit(3)
        elif how == "wait":
            while not Path(self._orders["until"]).exists():
                time.sleep(0.005)
        else:
            if "leaves" in self._orders:
                Path(self._orders["leaves"]).touch()
            sys.stderr.write("GGML_ASSERT(n_tokens > 0) failed\n" + self._orders.get("says", ""))
            sys.stderr.flush()
            os.kill(os.getpid(), getattr(signal, how))


def orders_at(path):
    """A path may be a JSON object, or the name of a file that may begin with one."""
    text = path.encode() if path.startswith("{") else Path(path).read_bytes().partition(b"\n")[0]
    return json.loads(text) if text.startswith(b"{") else {}


def load(path, loading, stop, on_progress):
    orders = orders_at(path)
    if "loads" in orders:  # where each is told, and what the first, the second and so on does otherwise
        with open(orders["loads"], "ab") as loads:
            number = loads.tell()
            loads.write(b".")
        orders |= dict(enumerate(orders["otherwise"])).get(number, {})
    return follow(orders, loading, stop, on_progress)


def load_for_trial(path, loading, stop, on_progress):
    return follow(orders_at(path).get("trial", {}), loading, stop, on_progress)


def follow(orders, loading, stop, on_progress):
    for step in range(orders.get("load_steps", 2)):
        on_progress(step / 2)
        time.sleep(orders.get("step_s", 0))
        if stop.is_set():
            return None
    if orders.get("at") == "load":
        if orders.get("how") == "hang":
            time.sleep(1000)
        os.kill(os.getpid(), getattr(signal, orders.get("how", "SIGABRT")))
    engine = Mortal(orders, loading)
    if engine.facts.gpu_layers > orders.get("room_for", 1000):
        raise ModelMemoryError("It does not fit", "There is no room.", gpu_layers=engine.facts.gpu_layers)
    return engine


if __name__ == "__main__":
    end_with(int(sys.argv[2]), signal.SIGINT)  # whose number is 2: so many seconds
    channel = _take_streams()
    faulthandler.enable(2)
    serve(channel, SharedStopFlag(sys.argv[1]), load, load_for_trial, lambda: ("GPUs: made up", True))
