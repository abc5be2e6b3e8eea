"""Plain tables become settings, or a list of what is wrong: the tables of `model` as pydantic's, by their own fields.

No field is told twice: each stands in `model` alone, under the name of its rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import time
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from ticker.settings import model, rules
from ticker.values import optional

_TABLES: Mapping[str, Callable[..., model.Part]] = {table.__name__: table for table in model.TABLES}

# What stands in the fields of `model`, where only a type checker imports it.
_NAMED = {**vars(model), "rules": rules, "time": time, "Literal": Literal, "Annotated": Annotated}


class _Mirror(BaseModel):
    """A table while it is looked through."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


def validated(tree: Mapping[str, Any], table: type[model.Part] = model.Settings) -> Any:  # noqa: ANN401 - a `table`
    """The settings that `tree` writes. Raises pydantic's ValidationError, which tells all that is wrong."""
    return _taken(MIRRORS[table.__name__].model_validate(tree))


def _mirrors() -> dict[str, type[BaseModel]]:
    """Each table as a model of the same fields; where one names another, the other's model is meant."""
    made: dict[str, Any] = {}
    for table in model.TABLES:
        if table is model.Settings:
            made["Calendar"] = made["PublicationCalendar"] | made["SessionCalendar"]
        made[table.__name__] = _mirror(table, made)
    return {table.__name__: made[table.__name__] for table in model.TABLES}


def _mirror(table: type[model.Part], made: Mapping[str, Any]) -> type[BaseModel]:
    hints = get_type_hints(
        table,
        {**vars(model), "rules": rules, "time": time, "Literal": Literal, "Annotated": Annotated, **made},
        include_extras=True,
    )
    # What is not told is not looked at: the table itself knows its defaults.
    untold = optional(table)
    asked: dict[str, Any] = {
        name: (hints[name], Field(None) if name in untold else Field()) for name in table.__struct_fields__
    }
    return create_model(table.__name__, __base__=_Mirror, __validators__=_whole(table), **asked)


def _whole(table: type[model.Part]) -> dict[str, Any]:
    def kept(self: BaseModel) -> BaseModel:
        rules.WHOLE[table](_taken(self))
        return self

    return {"kept": model_validator(mode="after")(kept)} if table in rules.WHOLE else {}


def _taken(value: object) -> object:
    """A mirror as the table it stands for, with all that is in it."""
    if isinstance(value, _Mirror):
        told = {name: _taken(getattr(value, name)) for name in value.model_fields_set}
        return _TABLES[type(value).__name__](**told)
    if isinstance(value, dict):
        return {key: _taken(each) for key, each in value.items()}
    return value


# Made once: a reload is no reason to make them again.
MIRRORS = _mirrors()
