"""The JSON that the world sees, as types: what writes it is checked against them, and the schemas come out of them.

Only type checkers and the OpenAPI document import them: no answer waits for pydantic.
"""
