"""Raw upstream answers on disk, and the service run over them again.

`entries` is the format, `recorder` writes it around the fetcher, `playback` answers from it in the fetcher's place and
`replayer` drives the service in the timetable's.
"""

from ticker.recording.entries import Entry, Recording, read
from ticker.recording.playback import Playback
from ticker.recording.recorder import Recorder
from ticker.recording.replayer import Replayer

__all__ = ["Entry", "Playback", "Recorder", "Recording", "Replayer", "read"]
