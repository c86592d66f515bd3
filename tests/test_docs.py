"""Every block and every command of the documentation runs, and the reference names all that there is.

How a page is run, and how a block is marked that cannot be, stands in pages.py.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest
import warm
from pages import NEEDS_POSTGRES, ROOT, RUN, Piece, Place, _commands, _fits, pieces, run_page

import privkit
from privkit import errors

DOCS = sorted((ROOT / "docs").rglob("*.md"))
RUN_HERE = [*DOCS, *(ROOT / "examples" / name / "README.md" for name in ("clinic", "statistics"))]
SHOWN = [*RUN_HERE, *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md"))]
SHOWN += sorted(page for page in (ROOT / "examples").glob("*/README.md") if page not in RUN_HERE)

# One process serves the commands of all pages.


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """A `privkit` that need not import everything each time."""
    folder = tmp_path_factory.mktemp("warm")
    address = str(folder / "socket")
    with subprocess.Popen(
        [sys.executable, str(Path(warm.__file__)), address],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        warm.write_client(folder / "privkit", address)
        yield folder / "privkit"
        assert server.stdin is not None
        server.stdin.close()


@pytest.mark.parametrize("page", RUN_HERE, ids=_name)
def test_the_page_does_what_it_shows(page, tmp_path, command, request):
    words = {}
    if NEEDS_POSTGRES in page.read_text(encoding="utf-8"):
        words["db.example"] = f"127.0.0.1:{request.getfixturevalue('postgres').port}"
    run_page(page, Place(tmp_path, command, words))


def test_the_page_of_postgresql_has_the_rights_that_the_tests_work_with():
    from privkit.ledger.postgres_schema import ROLES

    page = (ROOT / "docs" / "how-to" / "ledger-in-postgresql.md").read_text(encoding="utf-8")
    assert f"<<'SQL'\n{ROLES}\n" in page


def test_a_page_that_is_wrong_is_found(tmp_path, command):
    page, place = tmp_path / "page.md", Place(tmp_path / "place", command)
    for text in (
        "```bash\nprivkit nonsense\n```\n",
        "<!-- exits 3 -->\n```bash\ntrue\n```\n",
        "```console\n$ echo 7\n8\n```\n",
        "<!-- before\nfalse\n-->\n",
        "```python\nimport nothing_of_this_name\n```\n",
    ):
        page.write_text(text, encoding="utf-8")
        with pytest.raises(AssertionError, match=r"page\.md"):
            run_page(page, place)
    page.write_text("<!-- exits 2 -->\n```console\n$ privkit nonsense\n…'nonsense'…\n```\n", encoding="utf-8")
    run_page(page, place)


def test_what_is_shown_of_an_output():
    assert _commands("$ a \\\n  b\none\ntwo\n$ c\n") == [("a \\\n  b", "one\ntwo\n"), ("c", "")]
    assert _fits("spent 3 of 4 \n", "spent … of 4\n")
    assert not _fits("spent 3 of 4\n", "spent … of 5\n")
    assert _fits("anything", "")


@pytest.mark.parametrize("page", SHOWN, ids=_name)
def test_every_block_is_run_or_says_why_not(page):
    text = page.read_text(encoding="utf-8")
    found = pieces(page)
    assert len([one for one in found if one.language != "before"]) * 2 == len(
        re.findall(r"^\s*(?:```|~~~)", text, re.MULTILINE)
    ), "a fence that the tests do not see: it must begin at the margin"
    for one in found:
        harmless = one.language == "text" and "privkit" not in one.code
        assert one.language in (*RUN, "before") or one.mark.startswith(("file ", "not run: ")) or harmless, one
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert not re.search(r"(?:^|\n)\n {4,}(?![-*] |\d+\. )\S", outside), "an indented block: make it a fence"


@pytest.mark.parametrize("page", SHOWN, ids=_name)
def test_commands_in_running_text_exist(page):
    from privkit.cli import root

    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for span in re.findall(r"`(privkit [^`]+)`", text):
        words = span.split()[1:]
        command: click.Command = root
        while words and isinstance(command, click.Group) and not words[0].startswith("-"):
            found = command.get_command(click.Context(command), words[0])
            if found is None:
                assert not words[0].isalpha(), f"{span}: there is no such command"
                break
            command, words = found, words[1:]
        else:
            known = {option for one in command.params for option in one.opts} | {"--help"}
            assert {word for word in words if word.startswith("--")} <= known, span


# ---- the generated reference


@pytest.fixture(scope="module")
def generated():
    """The generated pages, by place."""
    pytest.importorskip("mkdocs")
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_command_stands_in_the_reference(generated):
    page = generated.pages()["reference/command-line.md"]
    paths = [" ".join(path) for path, _ in generated.commands()]
    assert {"privkit", "privkit deidentify", "privkit budget create", "privkit study reveal"} <= set(paths)
    for path, command in generated.commands():
        assert re.search(rf"^##+ {' '.join(path)}$", page, re.MULTILINE), path
        for one in command.params:
            if isinstance(one, click.Option) and not one.hidden:
                assert one.opts[-1] in page, (path, one.opts)


def test_every_public_name_stands_in_the_reference(generated):
    pages = generated.pages()
    for name in privkit.__all__:
        value = getattr(privkit, name)
        is_error = isinstance(value, type) and issubclass(value, Exception)
        place = pages["reference/errors.md"] if is_error else pages["reference/python.md"]
        assert re.search(rf"^##+ `?{re.escape(name)}`?$", place, re.MULTILINE), name
        if not isinstance(value, str):
            first = (value.__doc__ or "").strip().splitlines()[0]
            assert first in place, name


def test_public_modules_stand_in_the_reference(generated):
    page = generated.pages()["reference/python.md"]
    for module in generated.MODULES:
        for name in set(module.__all__) - set(privkit.__all__):
            assert f"### `{module.__name__.removeprefix('privkit.')}.{name}`" in page


def test_the_reference_of_errors_has_their_codes(generated):
    page = generated.pages()["reference/errors.md"]
    for code in (0, 1, 2, 3, 4, 5, 129, 130, 143):
        assert re.search(rf"^\| {code} \| \S", page, re.MULTILINE), code
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, Exception):
            assert f"## {value.__name__}\n\nExit code {value.exit_code}." in page


def test_every_key_of_a_file_stands_in_the_reference(generated):
    pages = generated.pages()
    page = pages["reference/file-formats.md"]
    for name, (record, _) in generated.FORMATS.items():
        schema = json.loads(pages[f"reference/{name}.schema.json"])
        assert set(schema["properties"]) == {field.alias or key for key, field in record.model_fields.items()}
        for key in schema["properties"]:
            assert f"| `{key}` |" in page, (name, key)


# ---- the site


class _Fetched(HTMLParser):
    """What a browser fetches by itself when it shows a page, and where its links go."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("img", "script", "iframe", "source", "audio", "video", "embed") and given.get("src"):
            self.places.append(str(given["src"]))
        if tag == "link" and given.get("href") and given.get("rel") not in ("canonical", "prev", "next"):
            self.places.append(str(given["href"]))


def test_the_site_builds_without_a_warning_and_loads_nothing_from_a_network(tmp_path):
    pytest.importorskip("material")
    site = tmp_path / "site"
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **nowhere, "PYTHONPATH": str(ROOT)},
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    built = sorted(site.rglob("*.html"))
    assert len(built) > 25
    for page in built:
        text = page.read_text(encoding="utf-8")
        fetched = _Fetched()
        fetched.feed(text)
        assert fetched.places
        assert [place for place in fetched.places if "//" in place] == [], page
        assert "<!-- before" not in text
        assert "<!-- not run" not in text
    for style in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//", style.read_text(encoding="utf-8")), style


def test_piece_is_run():
    assert Piece("bash", "true").is_run
    assert Piece("bash", "false", "exits 1").is_run
    assert not Piece("bash", "false", "not run: no network").is_run
    assert not Piece("yaml", "a: 1", "file a.yaml").is_run
