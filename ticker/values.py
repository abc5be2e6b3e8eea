"""Values: frozen records that are compared by what they hold, as cheap to declare as they are to make.

A start declares some eighty kinds of them; a frozen dataclass takes the standard library 0.4 ms each, a struct 8 µs.
"""

from msgspec import Struct, field
from msgspec.structs import replace

__all__ = ["Struct", "field", "replace"]
