"""URLs that a description may hold, and those with a secret in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from privkit.model.dataset import DatasetSpec
from privkit.model.places import check_no_secret, is_url

HARMLESS = [
    "patients.csv",
    "C:\\data\\a:b@c.csv",
    "a folder/x:y@z?password=1.csv",
    "postgresql:///privacy",
    "postgresql://db/privacy",
    "postgresql://ana@db.example:5432/privacy?sslmode=verify-full&passfile=/etc/pgpass",
    "postgresql://ana@[::1]:5432/privacy",
    "postgresql://a,b:5433/privacy?target_session_attrs=read-write",
    "postgresql://db/privacy?user=ana%40example.org",
    "duckdb://C:/data/people.duckdb",
    "duckdb:///data/a@b.duckdb",
    "pyspark://?warehouse=lake",
    "s3://bucket/a/b@2.parquet",
    "snowflake://ana@account/base?warehouse=small&authenticator=externalbrowser",
]
SECRETS = [
    "postgresql://ana:s3cret@db/privacy",
    "postgresql://ana:s3cret@db:5432/privacy",
    "postgresql://ana:@db/privacy",
    "postgresql://ana:s3cret%40x@db/privacy",
    "postgresql://ana:s3@cret@db/privacy",
    "postgresql://ana:s3cret/x@db/privacy",
    "postgresql://ana:s3cret?x@db/privacy",
    "postgresql://ana:s3cret#x@db/privacy",
    "postgresql://ana:53?s3cret@db/privacy",
    "postgresql://db/privacy?password=s3cret",
    "postgresql://db/privacy?user=ana&PassWord=s3cret",
    "postgresql://db/privacy?pass%77ord=s3cret",
    "postgresql://db/privacy?sslpassword=s3cret",
    "postgresql://db/privacy?oauth_client_secret=s3cret",
    "snowflake://ana:s3cret@account/base",
    "trino://ana@host/base?token=s3cret",
    "duckdb://md:base?motherduck_token=s3cret",
    "impala://h?x=1#password=s3cret",
]


@pytest.mark.parametrize("place", HARMLESS)
def test_places_without_a_secret(place):
    assert check_no_secret(place) == place


@pytest.mark.parametrize("place", SECRETS)
def test_places_with_a_secret_are_refused_and_it_is_not_repeated(place):
    with pytest.raises(ValueError) as caught:
        check_no_secret(place)
    assert "s3" not in str(caught.value)


@given(st.text(min_size=1, max_size=30) | st.text("1/?#@:%", min_size=1, max_size=8))
def test_whatever_a_password_is_made_of(secret):
    with pytest.raises(ValueError):
        check_no_secret(f"postgresql://ana:{secret}x@db/privacy")


def test_is_url():
    assert is_url("postgresql://db/x")
    assert not is_url("a/b:c//d")


@pytest.mark.parametrize("field", ["ledger", "source"])
def test_a_description_refuses_them(field):
    described = {
        "name": "d",
        "source": "a.csv",
        "version": "1",
        "privacy_unit": "row",
        "budget": {"epsilon": 1, "delta": "1e-6"},
        "ledger": "l",
        "columns": {"x": {"type": "boolean"}},
    }
    assert DatasetSpec.model_validate(described | {field: "postgresql://ana@db/x"})
    with pytest.raises(ValidationError, match="does not belong into a description"):
        DatasetSpec.model_validate(described | {field: "postgresql://ana:s3cret@db/x"})
