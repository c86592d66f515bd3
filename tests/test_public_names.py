"""What `import privkit` offers, and what it must not load."""

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import privkit
from privkit import errors

HEAVY = {
    *("pandas", "pyarrow", "numpy", "pydantic", "rich", "spacy", "presidio_analyzer", "presidio_anonymizer", "opendp"),
    *("tenseal", "yaml", "cryptography", "jinja2", "faker", "orjson", "regex", "phonenumbers", "logging", "pyspark"),
    "py4j",
}


def test_all_is_sorted_and_complete():
    tree = ast.parse(Path(privkit.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imported = {alias.name for node in ast.walk(block) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert set(privkit.__all__) == imported | {"__version__"}
    assert privkit.__all__ == sorted(privkit.__all__)
    assert set(privkit.__all__) <= set(dir(privkit))


def test_every_error_is_public():
    named = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert named <= set(privkit.__all__)


@pytest.mark.parametrize("name", privkit.__all__)
def test_every_name_is_there_and_is_what_its_home_holds(name):
    value = getattr(privkit, name)
    if name == "__version__":
        assert value[0].isdigit()
    else:
        home = importlib.import_module(privkit._HOMES.get(name, "privkit.errors"))
        assert value is getattr(home, name)
        assert value.__doc__


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="'privkit' has no attribute 'anonymise'"):
        privkit.anonymise  # noqa: B018


@pytest.mark.parametrize(
    "statement",
    [
        "import privkit",
        "from privkit.cli import main; assert main(['--help']) == 0",
        "from privkit.cli import main; assert main([]) == 2",
        "from privkit.cli import main; assert main(['deidentify', '--help']) == 0",
        "from privkit.cli import main; assert main(['scan']) == 2",
        "from privkit.cli import main; assert main(['evaluate', '--help']) == 0",
        "from privkit.cli import main; assert main(['score', 'encrypt', '--help']) == 0",
        "from privkit.cli import main; assert main(['init', '--help']) == 0",
        "from privkit.cli import main; assert main(['study', '--help']) == 0",
        "from privkit.cli import main; assert main(['study', 'reveal', '--help']) == 0",
    ],
)
def test_nothing_heavy_is_loaded(statement):
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}}, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert set(done.stderr.splitlines()[-1].split()) & HEAVY == set()
