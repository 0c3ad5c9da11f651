"""Tables with categories, missing values and groups, from files and from data frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthmix.advice import formats
from synthmix.advice.advise import advise
from synthmix.advice.plan import Plan
from synthmix.advice.tables import Table, read
from synthmix.support.errors import BadInput

Rows = dict[str, list]


def people(n: int = 60, seed: int = 0) -> Rows:
    """A table with numbers, words, missing values of both, and several rows of each person."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    age = (40 + 8 * y + 6 * rng.standard_normal(n)).round(1)
    income = (10 + 3 * rng.standard_normal(n)).round(2)
    city = np.where(rng.random(n) < 0.3 + 0.4 * y, "Lyon", rng.choice(["Oslo", "Rome"], n))
    return {"age": [None if i % 11 == 3 else one for i, one in enumerate(age.tolist())], "income": income.tolist(),
            "city": [None if i % 13 == 5 else str(one) for i, one in enumerate(city)], "person": [f"p{i // 3}" for i in range(n)],
            "label": ["yes" if one else "no" for one in y]}  # fmt: skip


def write_csv(path: Path, rows: Rows, missing: str = "") -> Path:
    lines = [",".join(rows)]
    lines += [",".join(missing if one is None else str(one) for one in row) for row in zip(*rows.values(), strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_parquet(path: Path, rows: Rows) -> Path:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.table(rows), path)
    return path


def pandas_frame(_: Path, rows: Rows) -> object:
    return pytest.importorskip("pandas").DataFrame(rows)


def pandas_categories(_: Path, rows: Rows) -> object:
    return pytest.importorskip("pandas").DataFrame(rows).astype({"city": "category", "age": "Float64"})


def polars_frame(_: Path, rows: Rows) -> object:
    return pytest.importorskip("polars").DataFrame(rows)


SOURCES = {"csv": (write_csv, "real.csv"), "parquet": (write_parquet, "real.parquet"), "pandas": (pandas_frame, ""),
           "pandas categories": (pandas_categories, ""), "polars": (polars_frame, "")}  # fmt: skip


def as_scikit_learn(rows: Rows, fitted_on: Rows) -> np.ndarray:
    pd = pytest.importorskip("pandas")
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder

    encode = ColumnTransformer([("numbers", SimpleImputer(strategy="median", add_indicator=True), ["age", "income"]),
                                ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["city"])])  # fmt: skip
    return encode.fit(pd.DataFrame(fitted_on)).transform(pd.DataFrame(rows))


@pytest.mark.parametrize("name", SOURCES)
def test_categories_and_missing_values_are_encoded_as_by_scikit_learn(name: str, tmp_path: Path) -> None:
    make, file = SOURCES[name]
    table = read(make(tmp_path / file, people()), group="person")
    assert table.names == ("age", "income", "age is missing", "city_Lyon", "city_Oslo", "city_Rome", "city_None")
    np.testing.assert_allclose(table.X, as_scikit_learn(people(), people()))
    assert table.encoding.filled == (("age", 6),) and any("'age' (6 rows)" in one for one in table.remarks)
    assert any("'city' (4)" in one for one in table.remarks) and any("20 groups of at most 3 rows" in one for one in table.remarks)
    assert len(set(table.groups)) == 20
    rows = people(40, seed=1)
    rows.pop("person")
    made = read(make(tmp_path / f"made{file}", rows), like=table, group="person")
    np.testing.assert_allclose(made.X, as_scikit_learn(rows, people()))
    assert list(made.y) == rows["label"] and not made.remarks


def test_the_marks_of_missing_values_that_pandas_knows(tmp_path: Path) -> None:
    for mark in ("", "NA", "nan", "?", "null"):
        table = read(write_csv(tmp_path / "real.csv", people(), mark), drop=["person"])
        np.testing.assert_allclose(table.X, as_scikit_learn(people(), people()))


def test_without_missing_values_or_words_nothing_is_done(tmp_path: Path) -> None:
    rows = {name: people()[name] for name in ("income", "label")}
    table = read(write_csv(tmp_path / "real.csv", rows))
    assert table.encoding is None and not table.remarks


def test_dropped_columns_and_texts_are_no_features(tmp_path: Path) -> None:
    rows = people() | {"note": [f"text {i}" for i in range(60)], "nothing": [None] * 60}
    table = read(write_csv(tmp_path / "real.csv", rows), drop=["person", "income"])
    assert dict(table.left_out) == {"person": "as you said", "income": "as you said", "note": "text that differs in most rows",
                                    "nothing": "no value in any row"}  # fmt: skip
    with pytest.raises(BadInput, match=r"'weight' is no column of .*; they are age, income, city, person, label"):
        read(write_csv(tmp_path / "real.csv", people()), drop=["weight"])
    with pytest.raises(BadInput, match="'label' is the label column"):
        read(tmp_path / "real.csv", group="label")


def test_categories_that_only_synthetic_rows_have_are_named(tmp_path: Path) -> None:
    table = read(write_csv(tmp_path / "real.csv", people()), group="person")
    rows = people(30, seed=1)
    rows.pop("person")
    rows["city"][2] = rows["city"][7] = "Atlantis"
    made = read(write_csv(tmp_path / "made.csv", rows), like=table)
    assert any("'city'" in one and "'Atlantis' (2 rows)" in one for one in made.remarks)
    assert not made.X[2, 3:].any()


MISMATCHES = {
    "words for numbers": ({"age": ["old"] * 30}, r"column 'age' of .* holds words \('old'\), that of the real samples numbers"),
    "numbers for words": ({"city": list(range(30))}, "column 'city' of .* has no category that the real samples have: theirs are Lyon, "),
    "other words": ({"city": ["lyon"] * 30}, "has no category that .* theirs are Lyon, .*, not lyon"),
    "another name": ({"town": ["Lyon"] * 30, "city": None}, "lacks city, which .* and has town, which the real samples lack"),
}


@pytest.mark.parametrize("name", MISMATCHES)
def test_columns_of_another_type_are_named(name: str, tmp_path: Path) -> None:
    change, message = MISMATCHES[name]
    table = read(write_csv(tmp_path / "real.csv", people()), group="person")
    rows = {column: values for column, values in (people(30, seed=1) | change).items() if values is not None and column != "person"}
    with pytest.raises(BadInput, match=message) as caught:
        read(write_csv(tmp_path / "made.csv", rows), like=table)
    assert "\n" not in str(caught.value)


def test_words_after_many_numbers_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "CHUNK_VALUES", 50)
    rows = people()
    rows["income"][40] = "much"
    with pytest.raises(BadInput, match=r"column 'income' of .* is not numeric, 'much' in row 41 after rows with numbers"):
        read(write_csv(tmp_path / "real.csv", rows))


def test_a_table_of_words_only_gives_an_advice(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    rows = {name: rng.choice(["a", "b", "c"], 80, p=(0.2, 0.3, 0.5)).tolist() for name in ("one", "two")}
    rows["two"] = np.where(rng.random(80) < 0.7, np.where(y, "a", "b"), rows["two"]).tolist()
    table = read(write_csv(tmp_path / "real.csv", rows | {"label": y.tolist()}))
    advice = advise(table, Plan(300, 0.1, 0.1, 0.9), details=False)
    assert advice.p == 6 and any("OneHotEncoder" in note for note in advice.notes)


# ---------------------------------------------------------------- groups


def families(seed: int, n: int = 60, size: int = 5, p: int = 20) -> Table:
    """Rows in families that share most of their features, and their label."""
    rng = np.random.default_rng(seed)
    family = np.arange(n) // size
    y = family % 2
    X = rng.standard_normal((n // size, p))[family] + 0.3 * rng.standard_normal((n, p))
    X[:, 0] += 1.5 * y
    names = tuple(f"x{i}" for i in range(p))
    return Table(X, y, names, total=n, columns=names, groups=family)


def test_rows_of_one_group_are_left_out_together() -> None:
    """Without the groups the accuracy is that of knowing the family; with them it is that of new families."""
    from dataclasses import replace

    from sklearn.linear_model import RidgeClassifier
    from sklearn.model_selection import GroupKFold, cross_val_score

    plan, blind, grouped, true, errors = Plan(100, 0.1, 0.1, 0.9), [], [], [], []
    for seed in range(8):
        table = families(seed)
        alone, together = (advise(one, plan, details=False).baseline for one in (replace(table, groups=None), table))
        blind.append(alone.accuracy)
        grouped.append(together.accuracy)
        errors.append(together.se / alone.se)
        model = RidgeClassifier(together.gamma * 60)
        true.append(cross_val_score(model, table.X, table.y, groups=table.groups, cv=GroupKFold(12)).mean())
    assert np.mean(blind) > 0.95 and abs(np.mean(grouped) - np.mean(true)) < 0.05 and np.mean(blind) - np.mean(grouped) > 0.1
    assert np.mean(errors) > 1.5


def test_each_class_needs_two_groups(tmp_path: Path) -> None:
    rows = people()
    rows["person"] = ["p0" if label == "no" else f"p{i}" for i, label in enumerate(rows["label"])]
    with pytest.raises(BadInput, match=r"all rows of class no of .* are in one group"):
        read(write_csv(tmp_path / "real.csv", rows), group="person")
    rows["person"] = [None if i % 2 else one for i, one in enumerate(people()["person"])]
    table = read(write_csv(tmp_path / "real.csv", rows), group="person")  # a row without a group is one of its own
    assert len(set(table.groups)) == 20 + 30 and any("30 have one row" in one or "40 have one row" in one for one in table.remarks)
