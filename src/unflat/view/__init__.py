"""Looking at one result, on this machine only."""

from unflat.view.server import Server, page_of_file, serve

__all__ = ["Server", "page_of_file", "serve"]
