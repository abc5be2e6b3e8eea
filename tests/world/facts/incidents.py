"""Days on which markets and exchanges did what no calendar foresees: sessions and prices as facts.

Times of MOEX are Moscow's, of NYMEX New York's. Prices of 9.03.2020 are issue 15's [S]; others [K] or made up, marked.
"""

from __future__ import annotations

# 9.03.2020, a Monday that Russia rests: MOEX shut from Friday night to Tuesday 10:00 (sessions of 2020 [K]).
OIL_2020_MOEX = (
    ("2020-03-05 10:00", "2020-03-05 18:45"), ("2020-03-05 19:00", "2020-03-05 23:50"),
    ("2020-03-06 10:00", "2020-03-06 18:45"), ("2020-03-06 19:00", "2020-03-06 23:50"),
    ("2020-03-10 10:00", "2020-03-10 18:45"), ("2020-03-10 19:00", "2020-03-10 23:50"),
    ("2020-03-11 10:00", "2020-03-11 18:45"), ("2020-03-11 19:00", "2020-03-11 23:50"),
)  # fmt: skip
OIL_2020_ABROAD = (
    ("2020-03-04 18:00", "2020-03-05 17:00"), ("2020-03-05 18:00", "2020-03-06 17:00"),
    ("2020-03-08 18:00", "2020-03-09 17:00"), ("2020-03-09 18:00", "2020-03-10 17:00"),
    ("2020-03-10 18:00", "2020-03-11 17:00"),
)  # fmt: skip
# Friday's last print 45.30, Monday abroad 33.90 [S]; Tuesday [K].
OIL_2020_MOEX_PRICE = (("2020-03-05 00:00", "50.20"), ("2020-03-06 16:00", "47.50"), ("2020-03-06 20:00", "45.30"),
                       ("2020-03-10 10:00", "35.50"))  # fmt: skip
OIL_2020_ABROAD_PRICE = (("2020-03-05 00:00", "50.15"), ("2020-03-06 16:00", "47.45"), ("2020-03-06 20:00", "45.27"),
                         ("2020-03-09 00:00", "33.90"), ("2020-03-10 04:00", "35.60"))  # fmt: skip

# 12.06.2024 (a holiday) sanctions were announced; USD and EUR are not traded on MOEX since 13.06.2024 (SOURCES [K]).
# The last trade of the dollar: 11.06.2024 23:49:59 [K].
HALT_2024 = ("2024-06-11 23:49:59", "89.0214")

# 20.04.2020: the May contract of WTI fell below zero, on MOEX too; Brent stayed above [K].
NEGATIVE_2020 = "-37.63"
