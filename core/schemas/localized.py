"""Base of data files and API objects whose texts come in several languages.

In Python and in the data files such a text is `{language: text}`. The API, and the files that
clinics wrote for earlier versions, have one field a language instead, such as `title_id`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_serializer, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core.core_schema import SerializerFunctionWrapHandler

from core.foundation.languages import DEFAULT_LANGUAGE, SOURCE_LANGUAGE, LocalizedText

API_LANGUAGES = (DEFAULT_LANGUAGE, SOURCE_LANGUAGE)
"""Languages whose fields every API object has, empty where the text is missing. The field of another
language is added where the data has a text."""
FIELD_OF_A_LANGUAGE = re.compile(r"^(?P<name>[a-z]+)_(?P<language>[a-z]{2,3})$")
"""`title_id`: the name of a text and an ISO 639 code."""


class LocalizedModel(BaseModel):
    """A model that reads both forms of its `LocalizedText` fields and writes one field a language."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def localized_fields(cls) -> list[str]:
        """Return the names of the fields that hold a text in several languages."""
        return [name for name, field in cls.model_fields.items() if field.annotation == LocalizedText]

    @model_validator(mode="before")
    @classmethod
    def _gather_languages(cls, raw: Any) -> Any:
        return gathered(raw, cls.localized_fields()) if isinstance(raw, Mapping) else raw

    @model_validator(mode="after")
    def _speaks_the_default_language(self) -> LocalizedModel:
        for name in self.localized_fields():
            texts = getattr(self, name)
            is_required = type(self).model_fields[name].is_required()
            if is_required and DEFAULT_LANGUAGE not in texts:
                raise ValueError(f"{name}: the text in `{DEFAULT_LANGUAGE}` is missing")
        return self

    @model_serializer(mode="wrap")
    def _one_field_a_language(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        names = self.localized_fields()
        written: dict[str, Any] = {}
        for key, value in handler(self).items():
            if key not in names:
                written[key] = value
                continue
            for language in dict.fromkeys((*API_LANGUAGES, *value)):
                written[f"{key}_{language}"] = value.get(language, "")
        return written

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        written = handler(_without_serializer(core_schema))
        schema = handler.resolve_ref_schema(written)
        names = cls.localized_fields()
        required: list[str] = schema.get("required", [])
        properties: dict[str, Any] = {}
        for key, value in schema["properties"].items():
            if key not in names:
                properties[key] = value
                continue
            for language in API_LANGUAGES:
                is_required = key in required and language == DEFAULT_LANGUAGE
                properties[f"{key}_{language}"] = {"type": "string"} | (
                    {} if is_required else {"default": ""}
                )
        schema["properties"] = properties
        schema["required"] = [f"{key}_{DEFAULT_LANGUAGE}" if key in names else key for key in required]
        return written


def gathered(raw: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """Return the fields with `title_id` and its like gathered as `title`; empty translations are left out.

    Args:
        raw: Fields as read from a file or from the API.
        names: The fields that hold a text in several languages.
    """
    found: dict[str, Any] = {}
    texts: dict[str, dict[str, Any]] = {}
    for key, value in raw.items():
        match = FIELD_OF_A_LANGUAGE.match(key)
        if match is None or match["name"] not in names:
            found[key] = value
        elif value != "" or match["language"] == DEFAULT_LANGUAGE:
            texts.setdefault(match["name"], {})[match["language"]] = value
    for name, by_language in texts.items():
        given = found.get(name, {})
        if isinstance(given, Mapping):  # anything else is left for the validation to refuse
            found[name] = {**given, **by_language}
    return found


def _without_serializer(core_schema: Any) -> Any:
    """Return the schema without the serializer, which would hide the fields from the API's description."""
    if core_schema["type"] != "model":
        return {**core_schema, "schema": _without_serializer(core_schema["schema"])}
    return {key: value for key, value in core_schema.items() if key != "serialization"}
