"""A ResponsesAgent, which MLflow has since version 3."""

from typing import Any

from mlflow.pyfunc.model import ResponsesAgent

from tests.zoo import Person


class Responses(ResponsesAgent):
    """Answers the last item as that says."""

    def predict(self, request: Any) -> Any:
        text = request.input[-1].content
        if text == "own":
            Person(name="x", age="SECRET")  # type: ignore[arg-type]
        item = self.create_text_output_item(f"{text}!", "1")
        return {"output": [item]}
