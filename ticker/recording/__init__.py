"""Raw upstream answers on disk, and the service run over them again.

`entries` is the format, `recorder` writes it around the fetcher, `playback` answers from it in the fetcher's place and
`replayer` drives the service in the timetable's.
"""

from pathlib import Path

from ticker.recording.entries import Entry, Recording, read
from ticker.recording.playback import Playback
from ticker.recording.recorder import Recorder
from ticker.recording.replayer import Replayer

# The demo's: invented answers, made by `python -m tests.invented.record`.
SAMPLE = Path(__file__).parent / "sample"

__all__ = ["SAMPLE", "Entry", "Playback", "Recorder", "Recording", "Replayer", "read"]
