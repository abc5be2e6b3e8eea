"""The OpenAPI document: the operations told once, their answers' schemas out of the models that write them."""
