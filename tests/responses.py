"""An agent of the newest kind, which MLflow 2 does not know."""

from typing import Any

from mlflow.pyfunc.model import ResponsesAgent
from mlflow.types.responses import ResponsesAgentResponse
from mlflow.types.responses_helpers import OutputItem


class Responder(ResponsesAgent):
    """Says hello."""

    def predict(self, request: Any) -> ResponsesAgentResponse:
        """The same for each request."""
        item = OutputItem(**self.create_text_output_item("Hello!", "1"))
        return ResponsesAgentResponse(output=[item])
