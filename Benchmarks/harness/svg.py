"""CPU time for a request as horizontal bars, one group a row of loads, all on one scale.

The picture has what it needs within it: no script, no font, no other file. Its colours follow the reader's scheme, and
Antechamber's bars differ from the others' in more than their hue. `title` and `desc` say in words what it shows.
"""

from dataclasses import dataclass
from xml.sax.saxutils import escape

# Of these rows, what was measured.
HEADINGS = {
    "base": "One token on every request",
    "many": "20,000 tokens in rotation",
    "new": "Every token new",
}
_WIDTH = 760
_BARS_FROM = 210
_BARS_WIDTH = 460
_LINE = 24
_BAR = 16
_TOP = 58
_GAP = 20

_STYLE = """
    text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
    .title { font-size: 16px; font-weight: 600; }
    .heading { font-weight: 600; }
    .note { fill: #59636e; font-size: 12px; }
    .bar { fill: #8c959f; }
    .checks { fill: #57606a; }
    .ours { fill: #0969da; }
    .name-of-ours { font-weight: 600; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .note { fill: #9198a1; }
      .bar { fill: #656c76; }
      .checks { fill: #9ea7b3; }
      .ours { fill: #4493f8; }
    }
"""


@dataclass(frozen=True)
class Bar:
    """One line of a group."""

    name: str
    value: float
    is_ours: bool
    authenticates: bool

    @property
    def style(self) -> str:
        return "ours" if self.is_ours else "checks" if self.authenticates else "bar"


def text(results: dict) -> str:
    """The picture, of what `compare` wrote as JSON."""
    groups = {heading: bars for name, heading in HEADINGS.items() if (bars := _bars(results, name))}
    largest = max((bar.value for bars in groups.values() for bar in bars), default=1)
    drawn: list[str] = []
    y = _TOP
    for heading, bars in groups.items():
        drawn.append(f'<text class="heading" x="16" y="{y + 14}">{escape(heading)}</text>')
        y += _LINE
        for bar in bars:
            drawn += _line(bar, y, _BARS_WIDTH * bar.value / largest)
            y += _LINE
        y += _GAP
    machine = results["machine"]
    where = f"{machine['cpu']}, Linux {machine['kernel']}, medians of one run; one core for the proxy, 64 connections"
    drawn.append(f'<text class="note" x="16" y="{y + 4}">{escape(where)}</text>')
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + 20}" width="{_WIDTH}" height="{y + 20}" '
        'role="img" aria-labelledby="title desc">',
        '  <title id="title">CPU time for a request through each proxy</title>',
        f'  <desc id="desc">{escape(_description(groups))}</desc>',
        f"  <style>{_STYLE}  </style>",
        '  <text class="title" x="16" y="26">CPU time for a request, µs (less is better)</text>',
        '  <text class="note" x="16" y="46">Faint bars look at no token. Node answers by itself, with no proxy before '
        "it.</text>",
        *("  " + one for one in drawn),
        "</svg>",
    ]) + "\n"


def _bars(results: dict, row: str) -> list[Bar]:
    """The shortest first."""
    return sorted((
        Bar(case["title"], case["medians"]["cpu_us_per_request"], case["proxy"] == "antechamber", case["authenticates"])
        for case in results["cases"] if case["row"]["name"] == row and case["medians"]
    ), key=lambda bar: bar.value)


def _line(bar: Bar, y: int, width: float) -> list[str]:
    name = "name-of-ours" if bar.is_ours else "name"
    return [
        f'<text class="{name}" x="{_BARS_FROM - 10}" y="{y + 13}" text-anchor="end">{escape(bar.name)}</text>',
        f'<rect class="{bar.style}" x="{_BARS_FROM}" y="{y}" width="{width:.2f}" height="{_BAR}" rx="2"/>',
        f'<text x="{_BARS_FROM + width + 8:.2f}" y="{y + 13}">{bar.value:.1f}</text>',
    ]


def _description(groups: dict[str, list[Bar]]) -> str:
    return " ".join(
        heading + ": " + ", ".join(f"{bar.name} {bar.value:.1f} µs" for bar in bars) + "."
        for heading, bars in groups.items())
