"""How smooth the transcript is: `python tests/benchmarks/bench_transcript.py [--seconds 15] [--quick] [--xcb]`.

Prints one JSON object per measurement and a plain line with it. CPU is the GUI thread's own time, which other programs
on the same cores hardly change; wall time is what a person sees: close other programs before quoting it.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import sys
import threading
import time
from collections import deque
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "ui")]
if "--xcb" not in sys.argv:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"

import replies  # noqa: E402
from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from app.ui import theme as themes  # noqa: E402
from app.ui.fonts import load_fonts  # noqa: E402
from app.ui.transcript import Transcript  # noqa: E402
from app.ui.transcript_row import Row  # noqa: E402

TOKENS_PER_S, FLUSH_MS, BEAT_MS, TOKENS_PER_FLUSH = 200, 33, 2, 7


def chat(messages: int) -> list[Row]:
    rng = random.Random(1)
    rows = []
    for number in range(messages):
        if number % 2 == 0:
            rows.append(Row("user", number + 1, replies.paragraph(rng, 2)))
        else:
            text = "\n\n".join(replies.block(rng) for _ in range(rng.randint(2, 6)))
            rows.append(Row("assistant", number + 1, text, "MistralOrca 7B", "214 tokens · 48.0 tok/s · 4.5 s"))
    return rows


def tokens(text: str) -> list[str]:
    return [text[start : start + 5] for start in range(0, len(text), 5)]


def settle(app: QApplication, seconds: float = 0.3) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        app.processEvents()
        time.sleep(0.001)


def summary(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "median": round(ordered[len(ordered) // 2], 2),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 2),
        "worst": round(ordered[-1], 2),
    }


def show(name: str, words: str, **figures: object) -> None:
    print(json.dumps({name: figures}))
    print(f"  {words}", flush=True)


def bench_open(app: QApplication, rows: list[Row]) -> Transcript:
    wall, cpu = [], []
    for _ in range(5):
        view = Transcript(themes.LIGHT)
        view.resize(1000, 800)
        view.show()
        settle(app)
        began, began_cpu = time.perf_counter(), time.thread_time()
        view.set_rows(rows)
        app.processEvents()
        app.processEvents()
        wall.append((time.perf_counter() - began) * 1e3)
        cpu.append((time.thread_time() - began_cpu) * 1e3)
    show(
        "open",
        f"{len(rows):,} messages open in {min(wall):.0f} to {max(wall):.0f} ms (target 300)",
        messages=len(rows),
        wall_ms=summary(wall),
        cpu_ms=summary(cpu),
    )
    return view


def bench_stream(app: QApplication, view: Transcript, seconds: float) -> None:
    view.append_row(Row("assistant", 90_001, "", "MistralOrca 7B", state="streaming"))
    settle(app)
    source, queue, stop = tokens(replies.reply(int(seconds * TOKENS_PER_S) + 200)), deque(), threading.Event()

    def produce() -> None:
        began = time.perf_counter()
        for number, token in enumerate(source):
            if stop.is_set():
                return
            queue.append(json.loads(json.dumps({"token": token}))["token"])
            pause = began + (number + 1) / TOKENS_PER_S - time.perf_counter()
            if pause > 0:
                time.sleep(pause)

    def flush() -> None:
        if queue:
            view.append_text(90_001, "".join(queue.popleft() for _ in range(len(queue))))

    wall, cpu, last = [], [], [time.perf_counter(), time.thread_time()]

    def beat() -> None:
        now, now_cpu = time.perf_counter(), time.thread_time()
        wall.append(max(0.0, (now - last[0]) * 1e3 - BEAT_MS))
        cpu.append((now_cpu - last[1]) * 1e3)
        last[:] = [now, now_cpu]

    timers = []
    for interval, call in ((FLUSH_MS, flush), (BEAT_MS, beat)):
        timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=interval)
        timer.timeout.connect(call)
        timers.append(timer)
    gc.collect()
    gc.freeze()
    worker = threading.Thread(target=produce)
    QTimer.singleShot(int(seconds * 1000), app.quit)
    for timer in timers:
        timer.start()
    worker.start()
    began_cpu = time.process_time()
    last[:] = [time.perf_counter(), time.thread_time()]
    app.exec()
    share = (time.process_time() - began_cpu) / seconds
    stop.set()
    worker.join()
    for timer in timers:
        timer.stop()
    view.finish(90_001, Row("assistant", 90_001, view.rows[-1].text, "MistralOrca 7B"))
    show(
        "stream",
        f"GUI busy at once, p99 {summary(cpu)['p99']} ms, worst {summary(cpu)['worst']} ms of CPU; "
        f"stalls on the wall p99 {summary(wall)['p99']}, worst {summary(wall)['worst']} (targets 16 and 50)",
        seconds=seconds,
        gui_cpu_ms=summary(cpu),
        wall_stall_ms=summary(wall),
        wall_over_16=sum(value > 16 for value in wall),
        beats=len(wall),
        cpu_share=round(share, 3),
    )


def bench_length(app: QApplication, view: Transcript, count: int) -> None:
    view.append_row(Row("assistant", 90_002, "", "MistralOrca 7B", state="streaming"))
    settle(app)
    source = tokens(replies.reply(count))[:count]
    wall, cpu = [], []
    for start in range(0, len(source), TOKENS_PER_FLUSH):
        began, began_cpu = time.perf_counter(), time.thread_time()
        view.append_text(90_002, "".join(source[start : start + TOKENS_PER_FLUSH]))
        while True:
            app.processEvents()
            app.processEvents()
            if not view.is_behind:
                break
            time.sleep(0.001)
        wall.append((time.perf_counter() - began) * 1e3)
        cpu.append((time.thread_time() - began_cpu) * 1e3)
    part = 1000 // TOKENS_PER_FLUSH
    first, last = summary(cpu[:part]), summary(cpu[-part:])
    ratio = (sum(cpu[-part:]) / part) / (sum(cpu[:part]) / part)
    show(
        "length",
        f"{count:,} tokens: the last 1,000 cost {ratio:.2f} times the first 1,000; a flush takes "
        f"{summary(cpu)['median']} ms of CPU in the median, {summary(cpu)['worst']} at worst",
        tokens=count,
        cpu_ms=summary(cpu),
        wall_ms=summary(wall),
        first_1k=first,
        last_1k=last,
        ratio=round(ratio, 2),
    )


def shapes(size: int) -> dict[str, str]:
    rng = random.Random(3)
    return {
        "one unbroken line": "x" * size,
        "one line of words": " ".join(rng.choice(replies.WORDS) for _ in range(size // 6)),
        "zalgo": ("e" + "\u0301\u0302\u0303\u0304\u0305" * 4) * (size // 21),
        "nested quote": "".join(">" * (n % 60) + " deep\n" for n in range(size // 36)),
        "table": "| a | b |\n|---|---|\n" + "| one | two |\n" * (size // 14),
        "list": "- an item of the list\n" * (size // 22),
        "right to left": "שלום עולם " * (size // 10),
        "joined emoji": "👩‍👩‍👧‍👦" * (size // 7),
        "open code": "```python\n" + "x = call(1, 'two')  # three\n" * (size // 28),
        "emphasis marks": "*_`~[(" * (size // 6),
        "blank lines": "\n" * size,
        "formulas": "$x^2$ " * (size // 6),
    }


def bench_shapes(app: QApplication, size: int) -> None:
    for name, text in shapes(size).items():
        view = Transcript(themes.LIGHT)
        view.resize(1000, 800)
        view.show()
        view.set_rows([Row("assistant", 1, "", "MistralOrca 7B", state="streaming")])
        settle(app, 0.1)
        cpu = []
        for start in range(0, len(text), 4000):
            began = time.thread_time()
            view.append_text(1, text[start : start + 4000])
            app.processEvents()
            cpu.append((time.thread_time() - began) * 1e3)
        view.finish(1, Row("assistant", 1, text, "MistralOrca 7B"))
        opened = []
        began = time.thread_time()
        view.set_rows([Row("assistant", 2, text, "MistralOrca 7B")])
        for _ in range(len(text) // 300):
            app.processEvents()
            opened.append((time.thread_time() - began) * 1e3)
            began = time.thread_time()
        view.set_rows([])
        settle(app, 0.05)
        show(
            "shape",
            f"{name}: streaming worst {max(cpu):.0f} ms, opening worst {max(opened):.0f} ms (target 200)",
            shape=name,
            characters=len(text),
            stream_cpu_ms=summary(cpu),
            open_cpu_ms=summary(opened),
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--xcb", action="store_true")
    parser.add_argument("--no-shapes", action="store_true")
    parser.add_argument("--shapes", action="store_true", help="only the shapes of text that no person writes")
    options = parser.parse_args()
    sys.setswitchinterval(0.0005)
    app = QApplication(sys.argv[:1])
    load_fonts()
    themes.apply(app, themes.LIGHT)
    if not options.shapes:
        view = bench_open(app, chat(10_000))
        bench_stream(app, view, 3 if options.quick else options.seconds)
        bench_length(app, view, 3000 if options.quick else 30_000)
    if options.shapes or not (options.quick or options.no_shapes):
        bench_shapes(app, 100_000 if options.quick else 1_000_000)


if __name__ == "__main__":
    main()
