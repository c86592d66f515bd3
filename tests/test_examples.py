"""The examples run, and say what their READMEs promise."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import privkit
from privkit.model.pipeline import PipelineSpec
from privkit.model.yamlfile import read_yaml

ROOT = Path(__file__).parent.parent
STATISTICS = ROOT / "examples" / "02-private-statistics"
PIPELINE = ROOT / "examples" / "04-whole-pipeline"


def run(script: Path, *words: str, cwd: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", str(script), *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_private_statistics_in_python(tmp_path):
    told = run(STATISTICS / "private_statistics.py", cwd=tmp_path)
    assert "Asked again: stored=True, equal=True" in told
    assert all(f"{branch} " in told for branch in ("centre", "harbour", "hill"))
    assert "days_by_age[age]" in told
    assert "Left: ε " in told
    assert "# Private statistics of loans" in told
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    """The whole pipeline's folder, its data made, and a budget."""
    folder = tmp_path_factory.mktemp("hospital") / "04"
    shutil.copytree(PIPELINE, folder)
    run(folder / "make_hospital.py", cwd=folder)
    privkit.create_budget(privkit.Dataset.load(folder / "hospital.dataset.yaml"))
    return folder


def test_the_hospital_is_the_same_every_time(hospital, tmp_path):
    run(hospital / "make_hospital.py", str(tmp_path), cwd=tmp_path)
    for name in ("hospital.csv", "truth.json"):
        assert (tmp_path / name).read_bytes() == (hospital / name).read_bytes()


def test_the_private_results_are_compared_with_the_truth(hospital):
    """As `privkit run` writes them: every release of the step under one roof."""
    steps = read_yaml(hospital / "hospital.pipeline.yaml", PipelineSpec).steps
    dataset = privkit.Dataset.load(hospital / "hospital.dataset.yaml")
    with privkit.Session(dataset) as session:
        releases = [
            session.sql(one.sql, accuracy=one.accuracy) if one.accuracy else session.sql(one.sql, rho="0.02")
            for one in steps[1].release.statistics
        ]
    record = {
        "dataset": dataset.spec.name,
        "version": dataset.spec.version,
        "releases": [one.release.model_dump(mode="json") for one in releases],
    }
    (hospital / "out").mkdir()
    (hospital / "out" / "stats.json").write_text(json.dumps(record), encoding="utf-8")
    told = run(hospital / "compare.py", cwd=hospital)
    truth = json.loads((hospital / "truth.json").read_text(encoding="utf-8"))
    values = sum(len(groups) for groups in truth.values())
    assert len(told.splitlines()) == values + 3
    held, _, total, *_ = told.splitlines()[-1].split()
    assert int(total) == values == 15
    # Fifteen intervals of 95 % (those of quantiles cover more): fewer than 10 happens once in 10⁵ runs.
    assert int(held) >= 10


def test_a_value_that_is_withheld_is_said(tmp_path, capsys):
    value = {"label": None, "value": None, "low": None, "high": None}
    release = {"keys": [[]], "results": [{"name": "n", "values": [[value]]}]}
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "stats.json").write_text(json.dumps({"releases": [release]}))
    (tmp_path / "truth.json").write_text(json.dumps({"n": {"": 3.0}}))
    loaded = importlib.util.spec_from_file_location("compare", PIPELINE / "compare.py")
    compare = importlib.util.module_from_spec(loaded)
    loaded.loader.exec_module(compare)
    compare.main(tmp_path)
    assert "withheld" in capsys.readouterr().out
