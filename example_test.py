"""Trains, logs and registers the sample model: which of three cultivars a wine comes from.

    python example_test.py

The data ships with scikit-learn. The table has columns of four types: doubles, longs, a string and
a boolean. The model goes to the tracking server in MLFLOW_TRACKING_URI, which on Posit Connect is
asked with CONNECT_API_KEY, or without it to MLflow's local store in this folder. Printed at the
end: where the model is, and the commands that serve it.
"""

import logging
import os
import sys
from pathlib import Path

try:
    import mlflow
    import pandas as pd
    from mlflow.models import infer_signature
    from sklearn.compose import make_column_transformer
    from sklearn.datasets import load_wine
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    from modelserver.hosting.settings import read_settings
    from modelserver.loading.tracking import log_in
except ModuleNotFoundError as error:
    raise SystemExit(
        f"example_test.py: there is no {error.name} in this environment; "
        "pip install -r requirements.txt scikit-learn"
    ) from None

NAME = "wine"


def wine_table() -> tuple[pd.DataFrame, "pd.Series[str]"]:
    """178 wines: the table of features, and the cultivar of each."""
    bunch = load_wine(as_frame=True)
    data = bunch.frame
    table = pd.DataFrame(
        {
            "alcohol": data["alcohol"],
            "malic_acid": data["malic_acid"],
            "flavanoids": data["flavanoids"],
            "magnesium": data["magnesium"].astype("int64"),
            "proline": data["proline"].astype("int64"),
            "color": pd.cut(
                data["color_intensity"], [0, 3.5, 5.5, 20], labels=["pale", "medium", "deep"]
            ).astype(str),
            "alkaline_ash": data["alcalinity_of_ash"] > data["alcalinity_of_ash"].median(),
        }
    )
    cultivars = data["target"].map(lambda number: f"cultivar {number + 1}")
    return table, cultivars


def train(table: pd.DataFrame, cultivars: "pd.Series[str]") -> Pipeline:
    """A pipeline that takes the table as it is."""
    numbers = table.select_dtypes("number").columns.tolist()
    return make_pipeline(
        make_column_transformer(
            (StandardScaler(), numbers),
            (OneHotEncoder(handle_unknown="ignore"), ["color"]),
            ("passthrough", ["alkaline_ash"]),
        ),
        LogisticRegression(max_iter=1000),
    ).fit(table, cultivars)


def log_and_register(model: Pipeline, example: pd.DataFrame) -> tuple[str, str]:
    """The URIs of the logged model and of its version in the registry."""
    signature = infer_signature(example, model.predict(example))
    # MLflow 3 names a logged model, MLflow 2 gives it a path in the run.
    key = "name" if int(mlflow.__version__.partition(".")[0]) >= 3 else "artifact_path"
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(
            model,
            **{key: "model"},
            signature=signature,
            input_example=example,
            registered_model_name=NAME,
        )
    return f"runs:/{run.info.run_id}/model", f"models:/{NAME}/{info.registered_model_version}"


def main() -> None:
    """Trains on three quarters of the wines, says how well it does on the rest, registers."""
    logging.getLogger("mlflow").setLevel(logging.WARNING)  # it tells of each table of its store
    log_in(read_settings(os.environ))
    table, cultivars = wine_table()
    seen, unseen, seen_cultivars, unseen_cultivars = train_test_split(
        table, cultivars, random_state=0, stratify=cultivars
    )
    model = train(seen, seen_cultivars)
    print(f"Accuracy on unseen wines: {model.score(unseen, unseen_cultivars):.2f}")
    run_uri, registry_uri = log_and_register(model, unseen.head(3))
    local = Path(sys.executable).is_relative_to(Path.cwd())
    python = os.path.relpath(sys.executable) if local else "python"
    print(
        f"\nRun:      {run_uri}\nRegistry: {registry_uri}\n\n"
        f"Serve it:\n    MODEL_URI={registry_uri} {python} main.py\n"
    )


if __name__ == "__main__":
    main()
