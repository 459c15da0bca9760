from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from flask import Flask

_Method = TypeVar("_Method", bound=Callable[..., Any])

def expose(url: str = "/", methods: Iterable[str] | None = ("GET",)) -> Callable[[_Method], _Method]: ...

class BaseView:
    admin: Admin
    endpoint: str
    name: str
    url: str | None
    _default_view: str
    def __init__(
        self,
        name: str | None = None,
        category: str | None = None,
        endpoint: str | None = None,
        url: str | None = None,
    ) -> None: ...
    def render(self, template: str, **kwargs: Any) -> str: ...
    def get_url(self, endpoint: str, **kwargs: Any) -> str: ...
    def is_visible(self) -> bool: ...
    def is_accessible(self) -> bool: ...
    def inaccessible_callback(self, name: str, **kwargs: Any) -> Any: ...

class AdminIndexView(BaseView): ...

class Admin:
    _views: list[BaseView]
    def __init__(
        self,
        app: Flask | None = None,
        name: str | None = None,
        url: str | None = None,
        index_view: AdminIndexView | None = None,
        translations_path: str | None = None,
        csp_nonce_generator: Callable[[], str] | None = None,
        **options: Any,
    ) -> None: ...
    def add_view(self, view: BaseView) -> None: ...
