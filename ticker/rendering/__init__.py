"""Snapshots to bytes: JSON, CSV, HTML, SVG and events. Pure: nothing here asks a clock, a store or the network.

Read renderer.py first: a View says what is asked for. schemas.py is the wire and representation.py its bytes; html.py
with templates/fragment.html is the widget, site.py with templates/page.html the page around it; locales.py writes
numbers and dates as CLDR has them, and words.py reads what the service says in words of its own from languages/.
"""
