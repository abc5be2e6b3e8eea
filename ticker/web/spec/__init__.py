"""The OpenAPI document: the operations told once, their answers' schemas out of the models that write them."""

from ticker.web.spec.document import described, document, document_of, openapi
from ticker.web.spec.parameters import Names

__all__ = ["Names", "described", "document", "document_of", "openapi"]
