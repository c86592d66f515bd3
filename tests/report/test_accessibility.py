"""The pages as axe-core sees them in a browser: WCAG 2.2 A and AA and axe's best practices, wide, narrow and dark.

`make a11y` gets axe-core (npm) and Chromium (Debian); without them these tests are skipped, unless PRIVKIT_A11Y says
that they are required.
"""

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from privkit.report.card_html import card_html
from privkit.report.evaluation_html import evaluation_html
from privkit.report.explanation import explanation_html
from privkit.report.html import report_html
from privkit.report.release_html import release_html
from privkit.report.study_html import study_html
from tests.report import card_sample, evaluation_sample, explanation_sample, release_sample, sample, study_sample

AXE = Path(os.environ.get("PRIVKIT_AXE", ".axe/node_modules/axe-core/axe.min.js")).absolute()
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
)
PAGES = {
    "card": lambda: card_html(card_sample.everything()),
    "bare card": lambda: card_html(card_sample.minimal()),
    "release": lambda: release_html(
        release_sample.release(threshold=release_sample.threshold(), accepted_high_loss="approved"), stored=True
    ),
    "study": lambda: study_html(study_sample.result()),
    "evaluation": lambda: evaluation_html(evaluation_sample.evaluation(shown=True)),
    "report": lambda: report_html(sample.report()),
    "explanation": lambda: explanation_html(explanation_sample.explanation()),
}
DARK = "--blink-settings=preferredColorScheme=0"
VIEWS = {"wide": ("--window-size=1280,900",), "narrow and dark": ("--window-size=500,900", DARK)}
RUN = """
<script>{axe}</script>
<script>
axe.run(document, {{resultTypes: ["violations"]}}).then(found => {{
  const told = document.createElement("pre");
  told.id = "axe-found";
  told.textContent = JSON.stringify({{
    passes: found.passes.length,
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    width: innerWidth,
    scroll: document.documentElement.scrollWidth,
    violations: found.violations.map(v => [v.id, v.impact, v.help, v.nodes.map(n => n.html)]),
  }});
  document.body.append(told);
}});
</script>
"""

if os.environ.get("PRIVKIT_A11Y") != "required":
    if not AXE.is_file():
        pytest.skip("axe-core is not there: `make a11y` gets it from npm", allow_module_level=True)
    if CHROMIUM is None:
        pytest.skip("there is no Chromium: `make a11y` gets it from Debian", allow_module_level=True)


def checked(page: str, folder: Path, flags: tuple[str, ...]) -> dict:
    """What axe finds on a page."""
    assert AXE.is_file()
    assert CHROMIUM is not None
    place = folder / "page.html"
    text = page.replace("</body>", RUN.format(axe=AXE.read_text(encoding="utf-8")) + "</body>")
    place.write_text(text, encoding="utf-8")
    command = [CHROMIUM, *FLAGS, *flags, f"--user-data-dir={folder / 'browser'}", "--virtual-time-budget=60000"]
    command += ["--dump-dom", place.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found = re.search(r'<pre id="axe-found">(.*?)</pre>', done.stdout, flags=re.S)
    assert found is not None, done.stdout[-500:]
    return json.loads(html.unescape(found[1]))


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(page, view, tmp_path):
    """Narrow is 500 px: headless Chromium has no narrower window."""
    found = checked(PAGES[page](), tmp_path, VIEWS[view])
    assert (found["dark"], found["width"]) == ((False, 1280) if view == "wide" else (True, 500))
    assert found["scroll"] <= found["width"]
    assert found["passes"] > 10
    assert found["violations"] == []


@pytest.mark.slow
def test_axe_would_find_something(tmp_path):
    page = card_html(card_sample.minimal()).replace("<h1>", '<img src="data:,"><h1 style="color: #999">', 1)
    found = checked(page.replace(' scope="row"', ' scope="nothing"'), tmp_path, VIEWS["wide"])
    assert {"image-alt", "color-contrast"} <= {name for name, *_ in found["violations"]}
