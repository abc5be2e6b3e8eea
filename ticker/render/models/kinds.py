"""What the members of the models are made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import ConfigDict, Field, WithJsonSchema

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
# A JSON number with the digits that the source wrote.
Number = Annotated[Decimal, WithJsonSchema({"type": "number"})]
Demo = Annotated[bool, Field(description="true where the numbers are invented; absent otherwise")]
# What stands in no model is in no answer.
STRICT = ConfigDict(extra="forbid")
