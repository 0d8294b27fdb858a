"""The request that views of pages get."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class HtmxHttpRequest(HttpRequest):
    """A request that passed HtmxMiddleware."""

    htmx: HtmxDetails
