"""The look of the report: light and dark by what the reader's system says, and fit to be printed."""

from __future__ import annotations

SHEET = """
:root { color-scheme: light dark; --back: #ffffff; --card: #ffffff; --line: #dfe3ea; --text: #16191f;
  --muted: #59616e; --good: #17723f; --bad: #b3261e; --win: 52, 97, 235; --lose: 199, 125, 54; --c0: #b0379b;
  --c1: #0f8073; --c2: #b85c00; --c3: #2f5fe0; --c4: #6b46d6; --c5: #64707d; --c6: #a33a4a; --c7: #4d7a1f; }
@media (prefers-color-scheme: dark) { :root { --back: #14171c; --card: #1b1f26; --line: #343a45; --text: #e7eaf0;
  --muted: #a0a9b8; --good: #5ecb8f; --bad: #ff8a80; --win: 110, 145, 255; --lose: 222, 150, 80; --c0: #e27fd0;
  --c1: #4cc4b4; --c2: #f0a055; --c3: #86a8ff; --c4: #ab92ff; --c5: #a3afbd; --c6: #f08a98; --c7: #a2d06a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 32px 24px 64px; max-width: 1000px; background: var(--back); color: var(--text);
  font: 15px/1.5 Inter, system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 26px; margin: 0 0 4px; overflow-wrap: anywhere; } h2 { font-size: 18px; margin: 0 0 8px; }
h3 { font-size: 15px; margin: 16px 0 4px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px;
  margin: 18px 0; }
p { margin: 4px 0 10px; } .muted, figcaption, dt { color: var(--muted); font-size: 13px; }
figure { margin: 8px 0 0; overflow-x: auto; } svg { display: block; width: 100%; min-width: 640px; height: auto; }
svg text { fill: var(--text); font-size: 13px; } svg .tick { fill: var(--muted); font-size: 12px; }
svg .grid { stroke: var(--line); } svg .zero { stroke: var(--muted); } svg .whisker { stroke-width: 2; }
svg .thin { stroke-width: 1; } svg .box { fill-opacity: 0.35; }
table { border-collapse: collapse; width: 100%; font-size: 14px; } .wide { overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: 6px 8px; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } td { font-variant-numeric: tabular-nums; }
.wins td, .wins th { text-align: center; } .wins th:first-child { text-align: left; }
pre, .text { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; font: inherit; }
code { font: 13px/1.4 "JetBrains Mono", ui-monospace, monospace; overflow-wrap: anywhere; }
details { border-top: 1px solid var(--line); padding: 8px 0; } summary { cursor: pointer; overflow-wrap: anywhere; }
.passed { color: var(--good); } .failed { color: var(--bad); } .answers td:nth-child(2) { width: 55%; }
ul { margin: 0; padding: 0; list-style: none; } dl { margin: 0; } dd { margin: 0 0 8px; overflow-wrap: anywhere; }
@media print { body { max-width: none; padding: 0; } section { break-inside: avoid-page; } }
""" + "".join(f".f{one} {{ fill: var(--c{one}); }} .s{one} {{ stroke: var(--c{one}); }}\n" for one in range(8))
