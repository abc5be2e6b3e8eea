"""Snapshots to bytes: JSON, CSV, HTML, SVG and events. Pure: nothing here asks a clock, a store or the network.

Read renderer.py first: a View says what is asked for. schemas.py is the wire, locales.py the languages, html.py with
templates/fragment.html the widget.
"""
