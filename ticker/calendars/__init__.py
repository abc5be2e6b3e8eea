"""When a source publishes next and when its number is late: age is judged by the source's calendar, not by ours.

Two kinds cover every source: a *publication* calendar (a table appears on working days at an hour) and a *session*
calendar (a market trades between two hours). Both answer the same four questions (`calendar`), each a pure function of
time; `week` and `holidays` tell a working day.
"""
