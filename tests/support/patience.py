"""How long a test waits for what is to happen: as long on a quiet machine as on one that stutters."""

from __future__ import annotations

# Seconds after which what does not come is taken for hanging. No promise of the service is measured by it.
PATIENCE = 45.0
