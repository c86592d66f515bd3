import json
import stat

import pytest

from privkit.errors import OutputError, UsageError
from privkit.model.report import Report
from privkit.report.files import check_report_path, write_report
from tests.report.sample import report


def test_json_is_the_report(tmp_path):
    write_report(report(), tmp_path / "r.json")
    text = (tmp_path / "r.json").read_text(encoding="utf-8")
    assert Report.model_validate_json(text) == report()
    assert list(json.loads(text))[:10] == [
        *("source", "rows", "columns", "detector", "models", "policy", "key_id", "residual", "seconds", "warnings")
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def test_html_by_extension(tmp_path):
    write_report(report(), tmp_path / "r.HTML")
    assert (tmp_path / "r.HTML").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "other").touch()
    write_report(report(), tmp_path / "r.json")
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("other", "r.json")}
    assert len(modes) == 1


def test_other_extensions_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"\.json or \.html"):
        write_report(report(), tmp_path / "r.txt")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_report_is_replaced_only_by_force(tmp_path):
    path = tmp_path / "r.json"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="exists already"):
        write_report(report(), path)
    assert path.read_text(encoding="utf-8") == "mine"
    write_report(report(), path, force=True)
    assert path.read_text(encoding="utf-8") != "mine"


def test_places_that_cannot_be_written_are_refused_before_the_run(tmp_path):
    with pytest.raises(OutputError, match="does not exist"):
        check_report_path(tmp_path / "nowhere" / "r.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        check_report_path(tmp_path / "folder.json", force=True)


def test_a_failed_write_leaves_the_old_report_and_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "r.json"
    path.write_text("mine", encoding="utf-8")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("privkit.io.staged.os.fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_report(report(), path, force=True)
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]
    assert path.read_text(encoding="utf-8") == "mine"
