"""The peer's application for Django: a label for the models of django_urls.py."""

from __future__ import annotations

from django.apps import AppConfig


class Peer(AppConfig):
    name = "tests.bench"
    label = "django_urls"
