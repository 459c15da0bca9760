from collections.abc import Callable, Iterable
from typing import Any

from wtforms.fields import SelectFieldBase

class QuerySelectField(SelectFieldBase):
    query_factory: Callable[[], Iterable[Any]]
    get_label: Callable[[Any], str]
    allow_blank: bool
    def __init__(self, label: str | None = None, validators: Any = None, **options: Any) -> None: ...

class QuerySelectMultipleField(QuerySelectField): ...
