"""How the information server of the Moscow Exchange writes: blocks of columns and rows, times of Moscow without a zone.

Columns are mapped by name, since their order differs from market to market.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ticker.sources.base import brief, sane, schema

HOST = "https://iss.moex.com"


def rows(answer: object, block: str, key: str = "SECID") -> list[dict[str, Any]]:
    """The rows of a block, which has a column `key`, as mappings by column name. Raises SourceError (`schema`)."""
    table = answer.get(block) if isinstance(answer, dict) else None
    if not isinstance(table, dict):
        raise schema(f"no block {block!r}: {brief(answer)}")
    columns, data = table.get("columns"), table.get("data")
    if not isinstance(columns, list) or not isinstance(data, list) or key not in columns:
        raise schema(f"block {block!r} without columns or data")
    if any(not isinstance(name, str) for name in columns) or len(set(columns)) != len(columns):
        raise schema(f"block {block!r}: columns that are not names, each once")
    if any(not isinstance(row, list) or len(row) != len(columns) for row in data):
        raise schema(f"block {block!r}: a row does not have its columns")
    return [dict(zip(columns, row, strict=True)) for row in data]


def naive(value: object, where: str) -> datetime:
    """The moment that `value` writes, without a zone: it is Moscow's. Raises SourceError (`schema`)."""
    try:
        moment = datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the exchange writes Moscow time
    except ValueError as error:
        raise schema(f"{where}: no time but {str(value)[:40]!r}") from error
    return sane(moment, where)
