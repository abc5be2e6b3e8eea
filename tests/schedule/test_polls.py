import asyncio

from ticker.scheduling import Polls


async def test_a_poll_that_is_broken_off_before_its_first_step_is_over() -> None:
    """Told to rest in the turn in which it was asked, a source is not taken to be under way for ever."""
    ended: list[str] = []
    polls = Polls(lambda _: asyncio.sleep(60), ended.append)
    polls.begin("a")
    assert "a" in polls
    polls.cancel()
    await polls.answered()
    assert "a" not in polls
    assert ended == ["a"]
