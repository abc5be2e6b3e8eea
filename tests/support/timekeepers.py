"""What says when a service polls: the one of two kinds that a test knows it to be."""

from ticker.app import Service
from ticker.recording import Replayer
from ticker.scheduling import PollScheduler


def timetable(service: Service) -> PollScheduler:
    """The timetable of a service that polls."""
    assert isinstance(service.timekeeper, PollScheduler)
    return service.timekeeper


def replayer(service: Service) -> Replayer:
    """What plays the recording of a service that replays."""
    assert isinstance(service.timekeeper, Replayer)
    return service.timekeeper
