"""Raw upstream answers on disk, and the service run over them again.

`entries` is the format, `recorder` writes it around the fetcher, `playback` answers from it in the fetcher's place and
drives the service on the recording's own clock.
"""

from ticker.recording.entries import Entry, Recording, read
from ticker.recording.playback import Playback, Replayer
from ticker.recording.recorder import Recorder

__all__ = ["Entry", "Playback", "Recorder", "Recording", "Replayer", "read"]
