"""The Spark session that the rest runs in."""

import pytest

from privkit.engines.spark import spark_session
from privkit.errors import EngineError


def test_an_active_session_is_used_and_left_running(spark):
    with spark_session() as found:
        assert found is spark
    assert spark.range(3).count() == 3


def test_another_master_than_the_active_one_is_refused(spark):
    with pytest.raises(EngineError, match=r"local\[2,3\] is active"), spark_session("local[1]"):
        pass


def test_workers_run_this_python_and_what_fails_there_is_not_printed(spark, capfd):
    def passed_on(batches):
        yield from batches

    def fails(batches):
        raise ValueError("Jane Roe 555-0100")

    assert spark.range(100).mapInArrow(passed_on, "id long").count() == 100
    with pytest.raises(Exception, match="Jane"):  # as Spark's exception has it, it has to be caught and dropped
        spark.range(100).mapInArrow(fails, "id long").count()
    told = capfd.readouterr()
    assert "Jane" not in told.out + told.err
