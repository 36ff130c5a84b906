"""The proxy of all tests, under the name it had here."""

from tests.proxy import Proxy

__all__ = ["Proxy"]
