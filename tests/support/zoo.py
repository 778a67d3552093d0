"""Real MLflow models of every kind that the tests serve, saved once per test session.

Each `save_…` writes a model folder. `echo` models answer with what reached them: values, dtypes and
columns, so that two servers can be compared by what they hand to a model.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.protos.databricks_pb2 import RESOURCE_EXHAUSTED
from mlflow.pyfunc.model import ChatAgent, ChatModel, PythonModel
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from mlflow.types.agent import ChatAgentMessage, ChatAgentResponse
from mlflow.types.llm import ChatChoice, ChatCompletionResponse, ChatMessage
from mlflow.types.schema import AnyType, Array, Map, Object, Property
from mlflow.types.type_hints import TypeFromExample
from pydantic import BaseModel, Field, field_validator


def account_of(value: Any) -> Any:
    """JSON-ready account of a model input: kinds, dtypes, names and values."""
    if isinstance(value, pd.DataFrame):
        return {
            "frame": [
                [str(name), str(value[name].dtype), [cell(v) for v in value[name]]]
                for name in value.columns
            ],
            "index": [str(label) for label in value.index],
        }
    if isinstance(value, np.ndarray):
        shape = list(value.shape)
        return {"array": [str(value.dtype), shape, [cell(v) for v in value.ravel()]]}
    if isinstance(value, dict):
        return {str(key): account_of(item) for key, item in value.items()}
    if isinstance(value, list):
        return [account_of(item) for item in value]
    return cell(value)


def cell(value: Any) -> str:
    """One value as text; all ways of being missing are one."""
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(cell, value)) + "]"
    if isinstance(value, np.ndarray):
        return "array" + cell(value.tolist())
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {cell(v)}" for k, v in sorted(value.items())) + "}"
    if pd.isna(value):
        return "missing"
    if isinstance(value, (pd.Timestamp, np.datetime64)):
        return str(np.datetime64(str(value), "ns"))
    if isinstance(value, (np.bool_, bool)):
        return f"bool {bool(value)}"
    if isinstance(value, np.generic):
        value = value.item()
    return f"{type(value).__name__} {value!r}"


class Echo(PythonModel):
    """Answers with an account of the input and the params."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return {"input": account_of(model_input), "params": account_of(params)}


class Returns(PythonModel):
    """Answers with one of many kinds of output, named by the first cell of the input."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        from tests.support.outputs import OUTPUTS

        return OUTPUTS[model_input.iloc[0, 0]]()


class Raises(PythonModel):
    """Raises what the first cell of the input names."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        how = model_input.iloc[0, 0]
        if how == "value":
            raise ValueError("secret 4711 in the data")
        if how == "address":
            raise ValueError("asked http://me:4711@host/x?key=4711")
        if how == "exit":
            raise SystemExit(3)
        if how == "memory":
            raise MemoryError
        if how == "busy":
            raise MlflowException("come back later", RESOURCE_EXHAUSTED)
        if how == "internal":
            raise MlflowException("no code given")
        return "fine"


class Sleeps(PythonModel):
    """Takes as many seconds as the first cell says."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        time.sleep(float(model_input.iloc[0, 0]))
        return model_input


class Chat(ChatModel):
    """Answers the last message, and says which temperature it was asked for."""

    def predict(self, context: Any, messages: Any, params: Any) -> Any:
        text = f"{messages[-1].content}, at {params.temperature}"
        message = ChatMessage(role="assistant", content=text)
        return ChatCompletionResponse(choices=[ChatChoice(message=message)], created=0)


class Person(BaseModel):
    name: str
    age: int
    email: str | None = None


class TypedNumbers(PythonModel):
    """Typed by a hint: a list of floats."""

    def predict(self, model_input: list[float], params: Any = None) -> list[float]:
        return [value * 2 for value in model_input]


class TypedTexts(PythonModel):
    def predict(self, model_input: list[str]) -> list[str]:
        return [value.upper() for value in model_input]


class TypedByExample(PythonModel):
    """Gets its input in the form of the example, a list, not as a DataFrame."""

    def predict(self, model_input: TypeFromExample) -> Any:
        return [type(model_input).__name__, *list(model_input)]  # type: ignore[call-overload]


class TypedPeople(PythonModel):
    def predict(self, model_input: list[Person]) -> list[str]:
        return [f"{person.name} is {person.age}" for person in model_input]


class Part(BaseModel):
    """Part of an order, with a default in a default."""

    size: float
    tags: list[str] = []


class Order(BaseModel):
    """Every way in which a property may be left out."""

    name: str
    count: int = 3
    note: str | None = None
    first: Part | None = None
    parts: list[Part] = []
    stock: dict[str, int] = {}


class Receipt(BaseModel):
    total: float
    currency: str = "EUR"
    note: str | None = None


class TypedOrders(PythonModel):
    """Answers with no more than what it sets."""

    def predict(self, model_input: list[Order]) -> list[Receipt]:
        receipts = [Receipt(total=order.count / 2) for order in model_input]
        return [receipt.model_dump(exclude_unset=True) for receipt in receipts]  # type: ignore[misc]


class TypedDicts(PythonModel):
    def predict(self, model_input: list[dict[str, float]]) -> list[dict[str, float]]:
        return [{key: value / 2 for key, value in row.items()} for row in model_input]


class Halves(PythonModel):
    """Answers tensors with tensors by name."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return {"half": model_input / 2, "gap": np.full(len(model_input), np.nan)}


class Sums(PythonModel):
    """Answers a table with an object of arrays, in which a gap is."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return {"sum": model_input.sum(axis=1), "rest": [{"gaps": [np.nan], "more": "x"}]}


class Address(BaseModel):
    city: str
    since: datetime | None = None


class Customer(BaseModel):
    name: str = Field(max_length=20)
    address: Address
    scores: dict[str, int] = {}
    level: int = Field(1, ge=1)
    size: int | str = 1

    @field_validator("name")
    @classmethod
    def check_name(cls, name: str) -> str:
        """Refuses one name, and fails on another."""
        if name == "nobody":
            raise ValueError(f"SECRET {name}")
        if name == "crash":
            raise KeyError(name)
        return name


class TypedCustomers(PythonModel):
    def predict(self, model_input: list[Customer]) -> list[str]:
        if model_input[0].name == "own":  # the model's own use of pydantic
            Person(name="x", age="SECRET")  # type: ignore[arg-type]
        return [customer.name for customer in model_input]


class TypedCounts(PythonModel):
    def predict(self, model_input: list[dict[str, int | None]]) -> list[int]:
        return [len(item) for item in model_input]


class TypedDates(PythonModel):
    def predict(self, model_input: list[datetime]) -> list[int]:
        return [moment.year for moment in model_input]


class TypedBytes(PythonModel):
    def predict(self, model_input: list[bytes]) -> list[int]:
        return [len(data) for data in model_input]


class TypedLists(PythonModel):
    def predict(self, model_input: list[list[float]]) -> list[float]:
        return [sum(item) for item in model_input]


class Agent(ChatAgent):
    """Answers the last message as that says."""

    def predict(self, messages: Any, context: Any = None, custom_inputs: Any = None) -> Any:
        text = messages[-1].content
        if text == "own":
            Person(name="x", age="SECRET")  # type: ignore[arg-type]
        if text == "odd":
            return {"messages": "SECRET"}
        return ChatAgentResponse(
            messages=[ChatAgentMessage(role="assistant", content=f"{text}!", id="1")]
        )


class Delicate(PythonModel):
    """Adds two numbers, and fails as the text beside them says: always, or on missing numbers."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        if (model_input["how"] == "down").any():
            raise ConnectionError("feature store down")
        if model_input["b"].isna().any():
            raise ValueError(f"b is missing, {SECRET_KEY}")
        return (model_input["a"] + model_input["b"]).tolist()


class Writes(PythonModel):
    """Writes into what it gets, as much as it can, and then may fail."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        model_input.loc[model_input["a"] < 0, "a"] = 0.0
        model_input.iloc[0, 0] = max(model_input.iloc[0, 0], 0.0)
        missing = model_input["b"].isna().any()
        model_input["sum"] = model_input["a"] + model_input["b"].fillna(0)
        del model_input["b"]
        model_input.columns = ["x", "y"]
        if missing or model_input["y"].max() > 100:
            raise ConnectionError("feature store down")
        return model_input["y"].tolist()


class WritesTensors(PythonModel):
    """Takes its tensors out of the dict, and fails on gaps."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        x = model_input.pop("x")
        if np.isnan(x).any():
            raise ValueError("gaps")
        return x.sum(axis=1)


class Ends(PythonModel):
    """Raises what is no Exception, or what cannot be written."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        import asyncio

        class Unspeakable(ValueError):
            def __str__(self) -> str:
                raise SystemExit

        how = model_input["how"].iloc[0]
        raise {
            "cancelled": asyncio.CancelledError,
            "interrupt": KeyboardInterrupt,
            "generator": GeneratorExit,
            "unspeakable": Unspeakable,
        }[how]


class Forks(PythonModel):
    """Answers with the id of a copy of its process, which returns from the prediction, too."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return [os.fork()]


class AlwaysDown(PythonModel):
    """Fails on whatever it is asked."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        raise ConnectionError("feature store down")


class FailsOnce(PythonModel):
    """Fails on the first table with a gap, and is well afterwards."""

    failed = False

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        if not self.failed and model_input["b"].isna().any():
            self.failed = True
            raise ConnectionError("feature store down")
        return [1.0] * len(model_input)


class OnlyBooleans(PythonModel):
    """Refuses a flag that is no boolean column."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        if model_input["flag"].dtype != bool:
            raise TypeError("no booleans")
        return (~model_input["flag"]).tolist()


class ArraySum(PythonModel):
    """Takes arrays."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return (model_input.ravel() * 2).sum()


class FirstColumn(PythonModel):
    """Takes tables, whatever the names of their columns are."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return model_input.iloc[:, 0].tolist()


class FullTensors(PythonModel):
    """Takes tensors without gaps."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        arrays = model_input.values() if isinstance(model_input, dict) else [model_input]
        if any(pd.isna(array).any() for array in arrays):
            raise ValueError("gaps")
        return [len(array) for array in arrays]


class Fragile(PythonModel):
    """Needs the column `b` and no gap in it, looks at `c` where it is there."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        if model_input["b"].isna().any():
            raise ValueError("b is missing")
        return [list(model_input.columns)] * len(model_input)


class Tolerant(PythonModel):
    """Needs the column `b`, looks at `c` where it is there."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        assert len(model_input["b"])
        return account_of(model_input)


SECRET_KEY = "key-4711-of-the-tracking-server"


def _columns(*specs: tuple[Any, str | int] | tuple[Any, str | int, bool]) -> Schema:
    return Schema([ColSpec(spec[0], spec[1], *spec[2:]) for spec in specs])  # type: ignore[arg-type]


SCALARS = ("boolean", "integer", "long", "float", "double", "string", "binary", "datetime")

ALL_TYPES = _columns(*((name, name) for name in SCALARS))
ALL_OPTIONAL = _columns(("long", "id"), *((name, name, False) for name in SCALARS))

PARAMS = ParamSchema(
    [
        ParamSpec("flag", "boolean", False),
        ParamSpec("count", "integer", 1),
        ParamSpec("size", "long", 2),
        ParamSpec("ratio", "float", 0.5),
        ParamSpec("rate", "double", 0.25),
        ParamSpec("label", "string", "a"),
        ParamSpec("when", "datetime", np.datetime64("2024-01-01T00:00:00")),
        ParamSpec("weights", "double", [1.0, 2.0], (-1,)),
        ParamSpec("nested", Object([Property("x", "long")]), {"x": 1}),
    ]
)

NESTED = _columns(
    (Array("double"), "numbers"),
    (Object([Property("name", "string"), Property("age", "long", False)]), "person"),
    (Map("long"), "counts"),
    (AnyType(), "anything"),
    (Array(Object([Property("x", "double")])), "points", False),
)

SCHEMAS: dict[str, tuple[Schema | None, ParamSchema | None]] = {
    "all_types": (ALL_TYPES, None),
    "all_optional": (ALL_OPTIONAL, None),
    "doubles": (_columns(*(("double", name) for name in "abcd")), None),
    "one_long": (_columns(("long", "n")), None),
    "two_longs": (_columns(("long", "a"), ("long", "b")), None),
    "one_string": (_columns(("string", "text")), None),
    "one_datetime": (_columns(("datetime", "when")), None),
    "one_binary": (_columns(("binary", "data")), None),
    "one_boolean": (_columns(("boolean", "flag")), None),
    "integer_names": (_columns(("long", 0), ("long", 1)), None),
    "unordered_names": (_columns(("long", 2), ("long", 0), ("long", 1)), None),
    "unnamed": (Schema([ColSpec("double"), ColSpec("double")]), None),
    "unnamed_mixed": (Schema([ColSpec("long"), ColSpec("string")]), None),
    "nested": (NESTED, None),
    "array_only": (_columns((Array("double"), "numbers")), None),
    "map_only": (_columns((Map("string"), "names")), None),
    "any_only": (_columns((AnyType(), "anything")), None),
    "with_params": (_columns(("double", "a")), PARAMS),
    "tensor": (Schema([TensorSpec(np.dtype("float64"), (-1, 2))]), None),
    "tensor_long": (Schema([TensorSpec(np.dtype("int64"), (-1,))]), None),
    "tensor_flags": (Schema([TensorSpec(np.dtype("bool"), (-1,))]), None),
    "tensor_dates": (Schema([TensorSpec(np.dtype("M8[ns]"), (-1,))]), None),
    "tensor_text": (Schema([TensorSpec(np.dtype("str"), (-1,))]), None),
    "tensor_image": (Schema([TensorSpec(np.dtype("uint8"), (-1, 2, 2))]), None),
    "tensors": (
        Schema(
            [
                TensorSpec(np.dtype("float32"), (-1, 2), "x"),
                TensorSpec(np.dtype("int64"), (-1,), "n"),
            ]
        ),
        None,
    ),
    "no_signature": (None, None),
}
"""Signatures of the echo models: inputs, params."""


def save_pyfunc(path: Path, model: Any, **options: Any) -> Path:
    """A PythonModel at `path`, with no packages of its own."""
    mlflow.pyfunc.save_model(path, python_model=model, pip_requirements=["mlflow"], **options)
    return path


def save_echo(name: str) -> Callable[[Path], Path]:
    inputs, params = SCHEMAS[name]
    given: dict[str, Any] = {"params": params} if params else {}
    signature = ModelSignature(inputs, **given) if inputs else None
    return lambda path: save_pyfunc(path, Echo(), signature=signature)


def save_named(model: Any, **options: Any) -> Callable[[Path], Path]:
    return lambda path: save_pyfunc(path, model, **options)


def save_wine(path: Path) -> Path:
    """The sample model, with its input example."""
    import example_test

    table, cultivars = example_test.wine_table()
    model = example_test.train(table, cultivars)
    example = table.head(2)
    mlflow.sklearn.save_model(
        model,
        path,
        signature=mlflow.models.infer_signature(example, model.predict(example)),
        input_example=example,
        pip_requirements=["scikit-learn"],
    )
    return path


def centre(table: pd.DataFrame) -> pd.DataFrame:
    """What a row becomes depends on the rows beside it."""
    return table - table.mean()


def save_sklearn(make: Callable[[], Any], rows: int) -> Callable[[Path], Path]:
    """An estimator on four doubles, with an example of so many rows."""

    def save(path: Path) -> Path:
        cells = np.random.default_rng(0).normal(size=(50, 4)).round(2)
        table = pd.DataFrame(cells, columns=list("abcd"))
        model = make().fit(table, (table["a"] + table["b"] > 0).astype(int))
        mlflow.sklearn.save_model(
            model,
            path,
            signature=mlflow.models.infer_signature(table, model.predict(table)),
            input_example=table.head(rows),
            pip_requirements=["scikit-learn"],
            serialization_format="cloudpickle",
        )
        return path

    return save


def regression() -> Any:
    """A linear classifier."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression()


def centred_regression() -> Any:
    """The same, behind a step that looks at all rows."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    return make_pipeline(FunctionTransformer(centre), regression())


def save_estimator(
    make: Callable[[], Any], rows: int | None = 6, method: str = "predict", dtype: str = "float64"
) -> Callable[[Path], Path]:
    """An estimator on four numbers that is asked by `method`, with an example of so many rows."""

    def save(path: Path) -> Path:
        cells = np.random.default_rng(1).normal(size=(200, 4)).astype(dtype)
        table = pd.DataFrame(cells, columns=list("abcd"))
        target = table["a"] * 2 + table["b"] / 3 + 1
        model = make().fit(table, target if method == "predict" else target > 1)
        answer = getattr(model, method)(table)
        mlflow.sklearn.save_model(
            model,
            path,
            signature=mlflow.models.infer_signature(table, answer),
            input_example=None if rows is None else table.head(rows),
            pip_requirements=["scikit-learn"],
            serialization_format="cloudpickle",
            pyfunc_predict_fn=method,
        )
        return path

    return save


def linear_regression() -> Any:
    from sklearn.linear_model import LinearRegression

    return LinearRegression()


def ridge() -> Any:
    from sklearn.linear_model import Ridge

    return Ridge()


def ridge_pipeline() -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), ridge())


def perceptron() -> Any:
    from sklearn.neural_network import MLPRegressor

    return MLPRegressor(hidden_layer_sizes=(16,), max_iter=2000, random_state=0)


def perceptron_classifier() -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(hidden_layer_sizes=(16,), max_iter=2000, random_state=0)


def centred_ridge() -> Any:
    """Depends on the rows beside a row, but by little."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    return make_pipeline(FunctionTransformer(nearly_itself), ridge())


def nearly_itself(table: pd.DataFrame) -> pd.DataFrame:
    """Each cell moved towards the mean by a millionth."""
    return table - (table - table.mean()) / 1_000_000


def fill_by_batch(table: pd.DataFrame) -> pd.DataFrame:
    """A gap becomes what the rows beside it hold."""
    return table.fillna(table.mean())


def batch_imputed() -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    return make_pipeline(FunctionTransformer(fill_by_batch), ridge())


OPTIONAL = _columns(("double", "a"), ("double", "b", False), ("string", "c", False))
REQUIRED = _columns(("double", "a"), ("double", "b"), ("string", "how"))

OPTIONAL_ROWS = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 6.0], "c": ["x", "y", "x"]})
REQUIRED_ROWS = pd.DataFrame({"a": [1.0, 2.0], "b": [4.0, 5.0], "how": ["ok", "ok"]})


def save_optional(make: Callable[[], Any]) -> Callable[[Path], Path]:
    """An estimator that needs all columns of `OPTIONAL`, two of which may be absent."""

    def save(path: Path) -> Path:
        table = pd.concat([OPTIONAL_ROWS] * 10, ignore_index=True)
        mlflow.sklearn.save_model(
            make().fit(table, table["a"] + table["b"]),
            path,
            signature=ModelSignature(OPTIONAL, Schema([ColSpec("double")])),
            input_example=OPTIONAL_ROWS,
            pip_requirements=["scikit-learn"],
            serialization_format="cloudpickle",
        )
        return path

    return save


def imputing(estimator: Any, numbers: Any) -> Any:
    """A pipeline that encodes the text and hands the numbers on by `numbers`."""
    from sklearn.compose import make_column_transformer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(make_column_transformer((numbers, ["a", "b"]), (encode, ["c"])), estimator)


def imputed() -> Any:
    from sklearn.impute import SimpleImputer

    return imputing(ridge(), SimpleImputer())


def boosted() -> Any:
    """Takes missing numbers as they are."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    return imputing(HistGradientBoostingRegressor(min_samples_leaf=2), "passthrough")


def strict() -> Any:
    """Needs all columns, and no gap in them."""
    return imputing(ridge(), "passthrough")


TEXT = ModelSignature(_columns(("string", "how")))
SECONDS = ModelSignature(_columns(("double", "seconds")))

HALVES = ModelSignature(
    Schema([TensorSpec(np.dtype("float64"), (-1, 2))]),
    Schema(
        [
            TensorSpec(np.dtype("float64"), (-1, 2), "half"),
            TensorSpec(np.dtype("float64"), (-1,), "gap"),
        ]
    ),
)
SUMS = ModelSignature(
    _columns(("double", "a"), ("double", "b")),
    _columns(
        (Array("double"), "sum"),
        (Array(Object([Property("gaps", Array("double"))])), "rest"),
        ("string", "note", False),
    ),
)

MODELS: dict[str, Callable[[Path], Path]] = {
    **{name: save_echo(name) for name in SCHEMAS},
    "wine": save_wine,
    "regression": save_sklearn(regression, rows=3),
    "regression_one_row": save_sklearn(regression, rows=1),
    "centred": save_sklearn(centred_regression, rows=3),
    "returns": save_named(Returns(), signature=TEXT),
    "raises": save_named(Raises(), signature=TEXT),
    "sleeps": save_named(Sleeps(), signature=SECONDS),
    "chat": save_named(Chat()),
    "hint_numbers": save_named(TypedNumbers()),
    "hint_texts": save_named(TypedTexts()),
    "hint_people": save_named(TypedPeople()),
    "hint_orders": save_named(TypedOrders()),
    "hint_orders_partly": save_named(
        TypedOrders(), input_example=[{"name": "a", "parts": [{"size": 1.5}]}]
    ),
    "hint_dicts": save_named(TypedDicts()),
    "halves": save_named(Halves(), signature=HALVES),
    "sums": save_named(Sums(), signature=SUMS),
    "hint_customers": save_named(TypedCustomers()),
    "hint_counts": save_named(TypedCounts()),
    "hint_dates": save_named(TypedDates()),
    "hint_bytes": save_named(TypedBytes()),
    "hint_lists": save_named(TypedLists()),
    "chat_agent": save_named(Agent()),
    "linear": save_estimator(linear_regression),
    "ridge": save_estimator(ridge),
    "ridge_pipeline": save_estimator(ridge_pipeline),
    "perceptron": save_estimator(perceptron),
    "perceptron_32": save_estimator(perceptron_classifier, method="predict_proba", dtype="float32"),
    "probabilities": save_estimator(regression, method="predict_proba"),
    "regression_no_example": save_estimator(linear_regression, rows=None),
    "centred_ridge": save_estimator(centred_ridge),
    "batch_imputed": save_estimator(batch_imputed),
    "imputed": save_optional(imputed),
    "boosted": save_optional(boosted),
    "strict": save_optional(strict),
    "tolerant": save_named(
        Tolerant(), signature=ModelSignature(OPTIONAL), input_example=OPTIONAL_ROWS
    ),
    "fragile": save_named(
        Fragile(), signature=ModelSignature(OPTIONAL), input_example=OPTIONAL_ROWS
    ),
    "tolerant_unproven": save_named(Tolerant(), signature=ModelSignature(OPTIONAL)),
    "delicate": save_named(
        Delicate(), signature=ModelSignature(REQUIRED), input_example=REQUIRED_ROWS
    ),
    "delicate_unproven": save_named(Delicate(), signature=ModelSignature(REQUIRED)),
    "writes": save_named(
        Writes(), signature=ModelSignature(_columns(("double", "a"), ("double", "b")))
    ),
    "writes_proven": save_named(
        Writes(),
        signature=ModelSignature(_columns(("double", "a"), ("double", "b"))),
        input_example=pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}),
    ),
    "writes_tensors": save_named(WritesTensors(), signature=ModelSignature(SCHEMAS["tensors"][0])),
    "ends": save_named(Ends(), signature=TEXT),
    "always_down": save_named(AlwaysDown(), signature=ModelSignature(REQUIRED)),
    "fails_once": save_named(FailsOnce(), signature=ModelSignature(REQUIRED)),
    "only_booleans": save_named(
        OnlyBooleans(), signature=ModelSignature(_columns(("boolean", "flag"), ("double", "size")))
    ),
    "full_tensor": save_named(FullTensors(), signature=ModelSignature(SCHEMAS["tensor"][0])),
    "full_tensor_proven": save_named(
        FullTensors(),
        signature=ModelSignature(SCHEMAS["tensor"][0]),
        input_example=np.ones((2, 2)),
    ),
    "full_fixed": save_named(
        FullTensors(),
        signature=ModelSignature(Schema([TensorSpec(np.dtype("float64"), (2,))])),
    ),
    "full_tensors": save_named(FullTensors(), signature=ModelSignature(SCHEMAS["tensors"][0])),
    "unsigned": save_named(Delicate()),
    "unsigned_array": save_named(ArraySum()),
    "unsigned_numbers": save_named(FirstColumn()),
    "hint_example": save_named(TypedByExample(), input_example=["a", "b"]),
}
"""Every model by name, and how it is saved."""

if hasattr(mlflow.pyfunc, "ResponsesAgent"):  # since MLflow 3
    from tests.support.responses import Responses

    MODELS["responses_agent"] = save_named(Responses())


@dataclass(frozen=True)
class SlowModel:
    """A model whose code waits while it is loaded, until a file is there."""

    path: Path
    gate: Path

    def go(self) -> None:
        self.gate.touch()


WAITING_LOADER = """
import time
from pathlib import Path

class Model:
    def predict(self, model_input, params=None):
        return model_input

def _load_pyfunc(data_path):
    gate = Path(Path(data_path).read_text())
    while not gate.exists():
        time.sleep(0.05)
    return Model()
"""


def save_slow(folder: Path) -> SlowModel:
    """A loader module, not a model from code: MLflow runs code with a stand-in of `dbutils` among
    Python's modules, and two loads at once leave it there for all later tests."""
    model = SlowModel(folder / "slow", folder / "gate")
    loader, gate = folder / "waiting_loader.py", folder / "gate.txt"
    loader.write_text(WAITING_LOADER)
    gate.write_text(str(model.gate))
    mlflow.pyfunc.save_model(
        model.path,
        loader_module=loader.stem,
        code_paths=[str(loader)],
        data_path=str(gate),
        pip_requirements=["mlflow"],
    )
    return model
