"""The examples of the OpenAPI document, asked of the service anew: python -m tests.support.examples."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import simplejson

from tests.support.running_service import answered
from ticker.web import openapi

FILE = Path(openapi.__file__).with_name("openapi_examples.json")
# What another run of the same day need not repeat.
KEPT = ("version", "next_poll_at", "next_poll")


def merged(new: Any, old: Any) -> Any:  # noqa: ANN401 - JSON trees
    """The new answer with the old one's own counts and random moments, so that a difference means something."""
    if isinstance(new, dict):
        former = old if isinstance(old, dict) else {}
        return {
            key: former[key] if key in KEPT and key in former else merged(each, former.get(key))
            for key, each in new.items()
        }
    if isinstance(new, list):
        olds = old if isinstance(old, list) else []
        return [merged(each, olds[place] if place < len(olds) else None) for place, each in enumerate(new)]
    return new


async def main() -> None:
    """Ask for each example and write the file."""
    examples = simplejson.loads(FILE.read_text(encoding="utf-8"), use_decimal=True)
    async with answered() as served:
        for shown in examples.values():
            for example in shown.values():
                answer = await served.client.get(example["path"])
                body = simplejson.loads(await answer.text(), use_decimal=True)
                example["body"] = merged(body, example["body"])
    text = simplejson.dumps(examples, use_decimal=True, ensure_ascii=False, indent=1)
    FILE.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
