"""The page and the API: pictures come in over HTTP, readings go out. Everything in here needs the extra serve."""

from .app import create_app

__all__ = ["create_app"]
