from collections.abc import Mapping, Sequence
from typing import Any

from flask_admin.base import BaseView
from flask_admin.form import BaseForm

class BaseModelView(BaseView):
    model: Any
    can_create: bool
    can_edit: bool
    can_delete: bool
    can_view_details: bool
    can_export: bool
    column_labels: Mapping[str, Any] | None
    column_descriptions: Mapping[str, Any] | None
    column_list: Sequence[str]
    column_searchable_list: Sequence[str]
    column_editable_list: Sequence[str]
    column_default_sort: Any
    form_columns: Sequence[str]
    form_args: Mapping[str, Mapping[str, Any]] | None
    form_overrides: Mapping[str, Any] | None
    form_extra_fields: Mapping[str, Any] | None
    form_widget_args: Mapping[str, Mapping[str, Any]] | None
    form_base_class: type[BaseForm]
    list_template: str
    create_template: str
    edit_template: str
    details_template: str
    page_size: int
    _actions: list[Any]
    _actions_data: dict[str, Any]
    _form_ajax_refs: Mapping[str, Any]
    _create_form_class: type[BaseForm]
    _edit_form_class: type[BaseForm]
    def create_form(self, obj: Any = None) -> BaseForm: ...
    def edit_form(self, obj: Any = None) -> BaseForm: ...
    def scaffold_form(self) -> type[BaseForm]: ...
    def get_column_name(self, field: str) -> str: ...
    def _prettify_name(self, name: str) -> str: ...
    def _process_ajax_references(self) -> Mapping[str, Any]: ...
