from typing import Any

from flask_admin.contrib.sqla.form import AdminModelConverter
from flask_admin.model import BaseModelView

class ModelView(BaseModelView):
    column_auto_select_related: bool
    model_form_converter: type[AdminModelConverter]
    def __init__(
        self, model: Any, session: Any, name: str | None = None, endpoint: str | None = None, **options: Any
    ) -> None: ...
    def build_new_instance(self) -> Any: ...
