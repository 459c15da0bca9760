from collections.abc import Callable
from typing import Any, TypeVar

_Method = TypeVar("_Method", bound=Callable[..., Any])

def converts(*types: str) -> Callable[[_Method], _Method]: ...
