"""The HTTP face: routes, handlers, middlewares. Everything is cut from the board; a request never goes upstream."""
