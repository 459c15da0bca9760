from typing import Any

from wtforms import Form

class BaseForm(Form):
    def __init__(self, formdata: Any = None, obj: Any = None, prefix: str = "", **kwargs: Any) -> None: ...
