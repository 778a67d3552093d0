"""An agent of the newest kind, which MLflow 2 does not know."""

from typing import Any

from mlflow.pyfunc.model import ResponsesAgent
from pydantic import BaseModel


class Age(BaseModel):
    years: int


class Responses(ResponsesAgent):
    """Answers the last item as that says."""

    def predict(self, request: Any) -> Any:
        text = request.input[-1].content
        if text == "own":
            Age(years="SECRET")  # type: ignore[arg-type]
        item = self.create_text_output_item(f"{text}!", "1")
        return {"output": [item]}
