"""What every store of ledgers must do, seen through `Ledger`.

A test class for a store inherits `LedgerStoreContract` and says where its ledgers are made.
"""

import hashlib
import json
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from privkit.errors import BudgetRefusedError, LedgerError, UsageError
from privkit.ledger.ledger import Ledger
from privkit.ledger.records import Charge, Limit, Opening, Spend
from privkit.ledger.store import System
from privkit.ledger.verifying import verify

KEY, OTHER_KEY = "a" * 64, "b" * 64
STEPS = ["before begin", "after insert", "before commit", "after commit"]


def pure(loss="1", dataset="patients") -> Opening:
    return Opening(dataset=dataset, unit="patient_id", limit=Limit(measure="pure", epsilon=loss, delta=0, loss=loss))


def zcdp(loss="0.02", threshold="1e-7") -> Opening:
    limit = Limit(measure="zcdp", epsilon=1, delta="1e-6", threshold_delta=threshold, loss=loss)
    return Opening(dataset="patients", unit="row", limit=limit)


def charge(loss="0.1", analyst="ana", key=None, delta="0", **what) -> Charge:
    return Charge(loss=loss, delta=delta, analyst=analyst, key=key, what=what)


SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]  # a class for each store inherits it
amounts = st.decimals(min_value=0, max_value=10, allow_nan=False, allow_infinity=False, places=25).filter(bool)


class LedgerStoreContract:
    """Inherit, and give `place`: a function that names a new place for a ledger at each call.

    `create` is what the tests make ledgers with; where whoever may make one is not whoever writes it, it does both.
    """

    elsewhere = "patients, not of staff"  # what opening another dataset's ledger says

    @pytest.fixture
    def place(self):
        raise NotImplementedError

    def create(self, place, opening, **options):
        return Ledger.create(place, opening, **options)

    @pytest.fixture
    def ledger(self, place):
        with self.create(place(), pure()) as ledger:
            yield ledger

    def test_what_it_is_opened_with_is_kept(self, place):
        limit = Limit(measure="zcdp", epsilon="9", delta="1e-6", threshold_delta="1e-7", loss="0.7")
        opening = Opening(dataset="pätients 王", unit="row", limit=limit, accepted_high_loss="the board's decision 7")
        where = place()
        with self.create(where, opening) as made, Ledger.open(where) as opened:
            assert made.opening == opened.opening == opening
            standing = opened.standing()
        assert standing.limit == limit
        assert (standing.spent, standing.spent_delta, standing.entries, standing.quotas) == (0, 0, 1, ())
        assert (standing.remaining, standing.remaining_delta) == (Decimal("0.7"), Decimal("1e-7"))

    def test_a_ledger_of_another_dataset_is_refused(self, place):
        where = place()
        self.create(where, pure()).close()
        Ledger.open(where, "patients").close()
        with pytest.raises(LedgerError, match=self.elsewhere):
            Ledger.open(where, "staff")

    def test_a_ledger_is_never_made_twice_and_never_by_opening(self, place):
        where = place()
        with pytest.raises(LedgerError, match="no ledger"):
            Ledger.open(where)
        with pytest.raises(LedgerError, match="no ledger"):
            verify(where)
        self.create(where, pure()).close()
        with pytest.raises(LedgerError, match="never written over"):
            self.create(where, pure())
        assert verify(where).entries == 1

    def test_a_charge_and_its_answer(self, place):
        where = place()
        with self.create(where, zcdp()) as ledger:
            receipt = ledger.charge(charge("0.005", key=KEY, delta="1e-8", query="count", n=[1, 2.5, None, True]))
            assert receipt.sequence == 2
            assert receipt.spent_before == Spend(Decimal(0), Decimal(0))
            assert receipt.spent_after == Spend(Decimal("0.005"), Decimal("1e-8"))
            assert receipt.remaining_after == Spend(Decimal("0.015"), Decimal("9e-8"))
            assert ledger.stored(KEY, Decimal(0), Decimal("1e-8")) is None
            released = ledger.answer(receipt.id, b"\x00answer")
            assert (released.id, released.sequence, released.spent_after) == (receipt.id, 3, receipt.spent_after)
            stored = ledger.stored(KEY, Decimal("0.005"), Decimal("1e-8"))
            assert (stored.id, stored.answer, stored.loss) == (receipt.id, b"\x00answer", Decimal("0.005"))
            assert (stored.sequence, stored.time) == (receipt.sequence, receipt.time)
            opened, charged, answered = ledger.entries()
        assert [opened.kind, charged.kind, answered.kind] == ["opened", "charged", "released"]
        assert charged.id == answered.id == receipt.id
        assert (charged.prev, charged.hash, answered.hash) == (opened.hash, receipt.head, released.head)
        assert charged.record["what"] == {"query": "count", "n": [1, 2.5, None, True]}
        assert (charged.record["loss"], charged.record["delta"]) == ("0.005", "0.00000001")
        assert answered.record == {"answer_sha256": hashlib.sha256(b"\x00answer").hexdigest(), "bytes": 7}
        verified = verify(where)
        assert (verified.entries, verified.head, verified.answers, verified.unanswered) == (3, released.head, 1, 0)
        assert (verified.spent, verified.spent_delta) == (Decimal("0.005"), Decimal("1e-8"))

    def test_ten_tenths_fit_and_the_eleventh_does_not(self, place):
        where = place()
        with self.create(where, pure("1")) as ledger:
            for _ in range(10):
                receipt = ledger.charge(charge(0.1))
            assert receipt.remaining_after.loss == 0
            before = list(ledger.entries()), ledger.standing()
            for loss in ("0.1", "1e-60"):
                with pytest.raises(BudgetRefusedError, match="0 left") as caught:
                    ledger.charge(charge(loss))
                assert (caught.value.requested, caught.value.remaining) == (Decimal(loss), 0)
                assert caught.value.exit_code == 3
                assert not caught.value.quota
            assert (list(ledger.entries()), ledger.standing()) == before
        assert verify(where).spent == 1

    @settings(max_examples=25, deadline=None, suppress_health_check=SHARED)
    @given(amounts, st.lists(amounts, min_size=1, max_size=12), st.booleans())
    def test_sums_are_exact(self, place, limit, losses, fill):
        where = place()
        with self.create(where, pure(limit)) as ledger:
            spent = Fraction(0)
            for loss in losses:
                fits = spent + Fraction(loss) <= Fraction(limit)
                try:
                    ledger.charge(charge(loss))
                except BudgetRefusedError:
                    assert not fits
                else:
                    assert fits
                    spent += Fraction(loss)
            rest = ledger.standing().remaining
            assert Fraction(rest) == Fraction(limit) - spent
            if fill and rest:
                ledger.charge(charge(rest))
                with pytest.raises(BudgetRefusedError):
                    ledger.charge(charge("1e-60"))
        assert verify(where).spent <= limit

    def test_amounts_of_any_size_sum_exactly(self, place):
        with self.create(place(), pure("1000000")) as ledger:
            ledger.charge(charge("999999.9"))
            for _ in range(3):
                ledger.charge(charge("1e-60"))
            assert ledger.standing().spent == Decimal("999999.9" + "0" * 58 + "3")
            with pytest.raises(BudgetRefusedError):
                ledger.charge(charge("0.1"))

    def test_threshold_delta_has_a_limit_of_its_own(self, place):
        where = place()
        with self.create(where, zcdp(loss="1", threshold="3e-7")) as ledger:
            for _ in range(3):
                ledger.charge(charge("0.01", delta="1e-7"))
            with pytest.raises(BudgetRefusedError, match="threshold_delta") as caught:
                ledger.charge(charge("0.01", delta="1e-40"))
            assert caught.value.remaining == Decimal("0.97")
            ledger.charge(charge("0.97"))
            assert ledger.standing().remaining_delta == 0
        assert verify(where).spent_delta == Decimal("3e-7")

    def test_quotas(self, place):
        where = place()
        with self.create(where, pure("1")) as ledger:
            ledger.charge(charge("0.2", "ana"))
            granted = ledger.grant("ana", Decimal("0.3"), "0.3", "the board")
            assert granted.spent_before == granted.spent_after
            ledger.charge(charge("0.1", "ana"))  # what was spent before the grant counts
            with pytest.raises(BudgetRefusedError, match="quota of ana") as caught:
                ledger.charge(charge("0.1", "ana"))
            assert (caught.value.quota, caught.value.remaining, caught.value.exit_code) == (True, 0, 3)
            ledger.charge(charge("0.1", "ben"))
            ledger.grant("ana", Decimal("0.25"), "0.25", "the board")  # below what was spent: nothing is left
            with pytest.raises(BudgetRefusedError) as caught:
                ledger.charge(charge("0.001", "ana"))
            assert caught.value.remaining == 0
            ledger.grant("ana", Decimal("5"), "5", "the board")  # the total binds everybody
            with pytest.raises(BudgetRefusedError) as caught:
                ledger.charge(charge("0.7", "ana"))
            assert (caught.value.quota, caught.value.remaining) == (False, Decimal("0.6"))
            ledger.charge(charge("0.6", "ana"))
            (quota,) = ledger.standing().quotas
        assert (quota.analyst, quota.limit, quota.spent, quota.epsilon) == ("ana", 5, Decimal("0.9"), "5")
        assert verify(where).remaining == 0

    def test_a_quota_of_nothing_and_one_for_whom_nobody_saw_yet(self, ledger):
        ledger.grant("ben", Decimal(0), "0", "the board")
        with pytest.raises(BudgetRefusedError):
            ledger.charge(charge("1e-60", "ben"))
        ledger.charge(charge("1", "ana"))

    def test_an_answer_comes_once_and_after_its_charge(self, ledger):
        with pytest.raises(LedgerError, match="no charge"):
            ledger.answer("0" * 32, b"early")
        first, second = ledger.charge(charge()), ledger.charge(charge())
        ledger.answer(first.id, b"one")
        ledger.fail(second.id, "the engine is gone")
        before = list(ledger.entries())
        for attempt in (
            lambda: ledger.answer(first.id, b"two"),
            lambda: ledger.fail(first.id, "late"),
            lambda: ledger.answer(second.id, b"two"),
            lambda: ledger.fail(second.id, "again"),
        ):
            with pytest.raises(LedgerError, match="already"):
                attempt()
        with pytest.raises(LedgerError, match="no charge"):
            ledger.fail(before[0].id, "it is no charge")
        assert list(ledger.entries()) == before

    def test_a_failure_gives_nothing_back(self, place):
        where = place()
        with self.create(where, pure("0.1")) as ledger:
            receipt = ledger.charge(charge("0.1", key=KEY))
            ledger.fail(receipt.id, "the source is gone")
            assert ledger.stored(KEY, Decimal(0)) is None
            with pytest.raises(BudgetRefusedError):
                ledger.charge(charge("0.1"))
        verified = verify(where)
        assert (verified.spent, verified.answers, verified.unanswered) == (Decimal("0.1"), 0, 0)

    def test_the_most_accurate_stored_answer_is_found(self, place):
        with self.create(place(), zcdp("10", "1e-7")) as ledger:
            for number, (loss, key, delta) in enumerate(
                [
                    ("0.1", KEY, "0"),
                    ("0.3", KEY, "0"),
                    ("0.09", KEY, "0"),
                    ("0.30", KEY, "0"),
                    ("9e-2", KEY, "0"),
                    ("0.9", KEY, "1e-8"),
                    ("0.8", OTHER_KEY, "0"),
                    ("0.7", None, "0"),
                ]
            ):
                ledger.answer(ledger.charge(charge(loss, key=key, delta=delta)).id, str(number).encode())
            ledger.charge(charge("2", key=KEY))  # never answered
            for at_least, delta, expected in [
                ("0.1", "0", b"3"),  # the later of two equally accurate ones
                ("0.3", "0", b"3"),
                ("0.300000000000000000000000001", "0", None),
                ("0", "1e-8", b"5"),
                ("0", "2e-8", None),
            ]:
                stored = ledger.stored(KEY, Decimal(at_least), Decimal(delta))
                assert (stored and stored.answer) == expected
            assert ledger.stored("c" * 64, Decimal(0)) is None

    def test_notes_take_nothing(self, place):
        where = place()
        with self.create(where, pure()) as ledger:
            receipt = ledger.note("disclosed", {"columns": ["ward"], "to": "the registry"})
            ledger.note("local", {"epsilon": "2"})
            for kind in ("charged", "released", "opened", "", "other"):
                with pytest.raises(UsageError, match="no kind of note"):
                    ledger.note(kind, {})
            assert receipt.spent_after == Spend(Decimal(0), Decimal(0))
            assert [entry.kind for entry in ledger.entries()] == ["opened", "disclosed", "local"]
        assert verify(where).spent == 0

    def test_entries_are_streamed_from_anywhere(self, place):
        with self.create(place(), pure()) as ledger:
            for number in range(620):
                ledger.note("local", {"number": number})
            seen = []
            for entry in ledger.entries():
                if entry.sequence == 10:
                    ledger.note("local", {})  # a reader in the middle does not stand in a writer's way
                seen.append(entry.sequence)
            assert seen == list(range(1, 622))
            assert [entry.sequence for entry in ledger.entries(after=619)] == [620, 621, 622]
            assert list(ledger.entries(after=622)) == []
            assert next(ledger.entries(after=-5)).sequence == 1

    @pytest.mark.parametrize("analyst", ["ana", "Zoë 王", "o'brien; DROP TABLE entries --", "a" * 200, "𝒜", "%_\"'`"])
    def test_names_and_bodies_of_any_script(self, place, analyst):
        where = place()
        what = {"sql": "SELECT 'é\u2028\x00\x1b[2J' -- 王\n\t\"", "nested": {"": [[], {}]}, "𝒜": "\U0010ffff"}
        with self.create(where, pure()) as ledger:
            ledger.grant(analyst, Decimal("0.5"), "0.5", analyst)
            receipt = ledger.charge(Charge(loss="0.1", analyst=analyst, what=what))
            ledger.fail(receipt.id, "warum? 王\x00")
            assert list(ledger.entries())[2].record["what"] == what
            assert ledger.standing().quotas[0].analyst == analyst
        assert verify(where).entries == 4

    @pytest.mark.parametrize(
        "analyst", ["", " ", "ana ", "a\nb", "a\x00b", "a\x1b[2J", "a\u202eb", "a" * 201, "\ud800"]
    )
    def test_names_that_no_ledger_keeps(self, ledger, analyst):
        with pytest.raises(UsageError, match="analyst's name"):
            charge(analyst=analyst)
        with pytest.raises(UsageError, match="analyst's name"):
            ledger.grant(analyst, Decimal(1), "1", "ana")

    def test_what_is_no_json_is_refused_and_nothing_is_charged(self, ledger):
        deep: list = []
        for _ in range(100_000):
            deep = [deep]
        for body in ({"x": float("nan")}, {"x": "\ud800"}, {"x": object()}, {"x": deep}):
            with pytest.raises(LedgerError, match="JSON"):
                ledger.note("local", body)
        with pytest.raises(LedgerError, match="JSON"):
            ledger.charge(charge(x=float("inf")))
        assert ledger.standing().entries == 1

    @pytest.mark.parametrize("loss", ["0", "-1", "nan", "inf", "", None, "1e7", "1e-61", True])
    def test_amounts_that_cannot_be_charged(self, loss):
        with pytest.raises((ValidationError, UsageError)):
            charge(loss)

    @pytest.mark.parametrize(
        "limit",
        [
            {"measure": "pure", "epsilon": 1, "delta": "1e-6", "loss": 1},
            {"measure": "pure", "epsilon": 1, "delta": 0, "loss": 2},
            {"measure": "pure", "epsilon": 0, "delta": 0, "loss": 0},
            {"measure": "zcdp", "epsilon": 1, "delta": "1e-6", "loss": 0},
            {"measure": "zcdp", "epsilon": 1, "delta": "1e-6", "threshold_delta": "1e-6", "loss": 1},
            {"measure": "zcdp", "epsilon": 1, "delta": 0, "loss": 1},
            {"measure": "zcdp", "epsilon": 1, "delta": 1, "loss": 1},
            {"measure": "renyi", "epsilon": 1, "delta": "1e-6", "loss": 1},
        ],
    )
    def test_limits_that_do_not_hold_together(self, limit):
        with pytest.raises(ValidationError):
            Limit(**limit)

    def test_a_clock_that_jumps_back_does_no_harm(self, place):
        moments = [datetime(2030, 1, 1, tzinfo=UTC) - timedelta(days=400 * day) for day in range(50)]
        where = place()
        with self.create(where, pure("1"), system=System(clock=iter(moments).__next__)) as ledger:
            for _ in range(10):
                receipt = ledger.charge(charge("0.1", key=KEY))
                ledger.answer(receipt.id, receipt.time.encode())
            with pytest.raises(BudgetRefusedError):
                ledger.charge(charge("0.1"))
            assert ledger.stored(KEY, Decimal("0.1")).answer == receipt.time.encode()  # by sequence, not by time
            times = [entry.time for entry in ledger.entries()]
        assert times == sorted(times, reverse=True)
        assert times[0] == "2030-01-01T00:00:00.000Z"
        assert verify(where).entries == 21

    def test_the_steps_come_in_order(self, place):
        steps = []
        where = place()
        self.create(where, pure()).close()
        with Ledger.open(where, system=System(at=steps.append)) as ledger:
            receipt = ledger.charge(charge())
            assert steps == STEPS
            steps.clear()
            ledger.answer(receipt.id, b"")
            assert steps == ["before answer", *STEPS, "after answer"]

    @pytest.mark.parametrize("step", STEPS)
    def test_an_error_at_any_step_leaves_all_or_nothing(self, place, step):
        where = place()

        def fails(at):
            if at == step:
                raise KeyboardInterrupt

        self.create(where, pure()).close()
        with Ledger.open(where, system=System(at=fails)) as ledger, pytest.raises(KeyboardInterrupt):
            ledger.charge(charge())
        verified = verify(where)
        assert (verified.entries, verified.spent) == ((2, Decimal("0.1")) if step == "after commit" else (1, 0))
        with Ledger.open(where) as ledger:
            ledger.charge(charge())

    def test_viewers_look_while_a_writer_is_in_the_middle(self, place):
        where = place()
        with self.create(where, pure()) as ledger:
            ledger.charge(charge())
        looks = []

        def look(at):
            with Ledger.open(where, read_only=True) as viewer:
                kinds = [entry.kind for entry in viewer.entries()]
                looks.append((at, viewer.standing().spent, kinds, verify(where).spent))

        with Ledger.open(where, system=System(at=look)) as ledger:
            ledger.charge(charge())
        before, after = Decimal("0.1"), Decimal("0.2")
        assert looks == [
            ("before begin", before, ["opened", "charged"], before),
            ("after insert", before, ["opened", "charged"], before),
            ("before commit", before, ["opened", "charged"], before),
            ("after commit", after, ["opened", "charged", "charged"], after),
        ]

    def test_a_viewer_cannot_write(self, place):
        where = place()
        self.create(where, pure()).close()
        with Ledger.open(where, read_only=True) as viewer, pytest.raises(LedgerError):
            viewer.charge(charge())
        assert verify(where).entries == 1

    def test_a_ledger_belongs_to_the_thread_that_opened_it(self, place):
        where = place()
        with self.create(where, pure("1000")) as ledger:
            errors = self._in_thread(lambda: ledger.charge(charge()))
            assert [str(error) for error in errors if "another thread" in str(error)]
            assert ledger.standing().entries == 1

    def test_threads_with_ledgers_of_their_own(self, place):
        where = place()
        self.create(where, pure("4")).close()

        def spend():
            with Ledger.open(where) as ledger:
                for _ in range(20):
                    ledger.charge(charge("0.1"))

        threads = [threading.Thread(target=spend) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert verify(where).remaining == 0

    def test_a_closed_ledger_says_so(self, place):
        ledger = self.create(place(), pure())
        ledger.close()
        ledger.close()
        for attempt in (ledger.standing, lambda: ledger.charge(charge()), lambda: list(ledger.entries())):
            with pytest.raises(LedgerError, match="closed"):
                attempt()

    def test_entries_have_the_hashes_that_are_written_down(self, ledger):
        ledger.charge(charge(x="é"))
        prev = "0" * 64
        for number, entry in enumerate(ledger.entries(), 1):
            content = {
                "sequence": number,
                "id": entry.id,
                "kind": entry.kind,
                "time": entry.time,
                "body": entry.body,
                "prev": prev,
            }
            text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            assert entry.hash == hashlib.sha256(text.encode()).hexdigest()
            assert entry.body == json.dumps(entry.record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            prev = entry.hash

    def test_a_ledger_that_shows_itself_shows_no_contents(self, ledger):
        assert "patients" in repr(ledger)

    @staticmethod
    def _in_thread(work):
        errors = []

        def run():
            try:
                work()
            except Exception as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return errors
