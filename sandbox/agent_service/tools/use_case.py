"""The tool type ``use_case``: a prompt to the LLM Service, or the agent's own text where there is none.

The generated text can be set into a document whose other parts come from the input alone, so that the figures in it are
right whatever the model writes. The output says who wrote: ``"generatedBy": "llm:<model>"`` or ``"template"``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.agent_service.errors import WorkFailed
from sandbox.agent_service.strict_json import parse_json
from sandbox.agent_service.tools.base import ToolCall, ToolResult
from sandbox.agent_service.tools.http_call import HttpQuestion, send
from sandbox.agent_service.tools.placeholders import fill_text


@dataclass(frozen=True, kw_only=True)
class _Generated:
    """A text and where it comes from."""

    text: str
    author: str
    tokens: Mapping[str, int]


class UseCaseTool:
    """Fills the agent's prompt and has it answered."""

    def __init__(self, llm_service_url: str | None) -> None:
        """Remember the service.

        Args:
            llm_service_url: base URL without ``/v1``; None if there is none.
        """
        self._url = llm_service_url

    def run(self, call: ToolCall) -> ToolResult:
        """Generate the text and set it into the document."""
        settings, values = call.settings, call.values()
        generated = _own_text(call, values) if self._url is None else _read(self._ask(call, values))
        document = fill_text(settings.get("document", "{generated}"), {**values, "generated": generated.text})
        return ToolResult(output={settings.get("outputField", "text"): document, "generatedBy": generated.author},
                          usage=generated.tokens)

    def _ask(self, call: ToolCall, values: Mapping[str, Any]) -> Any:
        body = send(call, HttpQuestion(method="POST", url=f"{self._url}/v1/chat/completions", headers={}, query={},
                                       body=_question(call.settings, values)))
        try:
            return parse_json(body)
        except ValueError as error:
            raise WorkFailed("invalid_answer", "transient", "The LLM Service did not answer JSON.") from error


def _question(settings: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    system = [{"role": "system", "content": settings["system"]}] if "system" in settings else []
    return {
        "model": settings.get("model", "default"),
        "messages": [*system, {"role": "user", "content": fill_text(settings["prompt"], values)}],
        "max_tokens": settings.get("maxTokens", 256), "temperature": settings.get("temperature", 0.2),
    }


def _own_text(call: ToolCall, values: Mapping[str, Any]) -> _Generated:
    return _Generated(text=fill_text(call.settings["fallback"], values).strip(), author="template", tokens={})


def _read(answer: Any) -> _Generated:
    """Return the text of an answer that may be anything."""
    try:
        text = answer["choices"][0]["message"]["content"].strip()
        usage = answer.get("usage") or {}
        tokens = {"promptTokens": usage.get("prompt_tokens"), "completionTokens": usage.get("completion_tokens")}
        return _Generated(text=text, author=f"llm:{answer.get('model', 'unknown')}",
                          tokens={name: count for name, count in tokens.items() if isinstance(count, int)})
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise WorkFailed("invalid_answer", "transient", "The LLM Service answered without a text.") from error
