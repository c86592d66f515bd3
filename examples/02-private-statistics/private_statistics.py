"""Private statistics in Python: declare, budget, look, ask, read.

python examples/02-private-statistics/private_statistics.py

The table is made up on the spot and the ledger lies in a temporary folder, so it can be run again and again.
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import privkit


def library_loans(people: int = 5_000) -> pd.DataFrame:
    """One to four loans each, of people who do not exist; from a fixed seed."""
    draw = np.random.default_rng(2026)
    loans = draw.integers(1, 5, people)
    age = np.clip(draw.normal(38, 17, people), 5, 95).round().astype(int)
    branch = draw.choice(["centre", "harbour", "hill"], people, p=[0.5, 0.3, 0.2])
    members = pd.DataFrame({"member": np.arange(people), "age": age, "branch": branch})
    frame = members.loc[np.repeat(np.arange(people), loans)]
    frame["days"] = np.clip(3 + 0.2 * frame["age"] + draw.exponential(6, len(frame)), 0, 60).round(1)
    return frame.reset_index(drop=True)


def main(folder: Path) -> None:
    # 1. Declare. All of it is public and comes from what the columns mean; nothing is read off the table.
    loans = privkit.Dataset(
        library_loans(),
        name="loans",
        unit={"column": "member", "max_groups": 1, "max_rows_per_group": 4, "max_units": 20_000},
        columns={
            "age": {"type": "integer", "bounds": (0, 110)},
            "branch": {"type": "category", "categories": ["centre", "harbour", "hill"]},
            "days": {"type": "float", "bounds": (0, 60), "granularity": "0.1"},
        },
        budget={"epsilon": 3, "delta": "1e-6", "measure": "zcdp"},
        ledger=folder / "loans.ledger.sqlite3",
    )

    # 2. Create the budget: once, for everybody who will ever ask.
    privkit.create_budget(loans)

    with privkit.Session(loans, analyst="ana") as session:
        # 3. Look at the price and the accuracy first: spends nothing, reads no data.
        by_branch = "SELECT branch, COUNT(*) AS loans, AVG(days) AS mean_days FROM loans GROUP BY branch"
        preview = session.preview(by_branch, epsilon="0.8")
        print(
            f"For ε {preview.cost.epsilon} the loans of a branch would be ± {preview.half_widths[0].half_width:.0f}\n"
        )

        # 4. Ask. Every number comes with its 95 % interval; in SQL, or with privkit.query().
        regional = session.sql(by_branch, epsilon="0.8")
        print("Loans by branch\n" + regional.to_pandas().round(1).to_string(index=False) + "\n")
        asked = privkit.query().median("age").quantile("age", "0.9", name="oldest_tenth_from")
        ages = session.sql(asked, epsilon="0.8")
        print("Ages\n" + ages.to_pandas().to_string(index=False) + "\n")
        slope = session.sql("SELECT REGR(days, age) AS days_by_age FROM loans", epsilon="1.2")
        print("Days kept = intercept + slope · age; the table was made with 9 and 0.2")
        print(slope.to_pandas().round(2).T.to_string(header=False) + "\n")

        # 5. The same question again is answered from the ledger, for free.
        again = session.sql(by_branch, epsilon="0.8")
        print(f"Asked again: stored={again.stored}, equal={again.release.results == regional.release.results}")
        print(f"Left: ε {session.remaining.epsilon:.2f} at δ {float(session.remaining.delta):g}\n")

    # 6. What to publish beside the numbers: what was asked, what it cost, how far to trust it.
    (folder / "loans.card.md").write_text(regional.card, encoding="utf-8")
    print("\n".join(regional.card.splitlines()[:12]))


if __name__ == "__main__":
    pd.set_option("display.width", 120)
    with tempfile.TemporaryDirectory() as made:
        main(Path(made))
