from typing import Any

class AdminModelConverter:
    view: Any
    def convert(
        self,
        model: Any,
        mapper: Any,
        name: str,
        prop: Any,
        field_args: dict[str, Any] | None,
        hidden_pk: bool,
    ) -> Any: ...
    def conv_String(self, *, column: Any, field_args: dict[str, Any], **extra: Any) -> Any: ...
    def conv_Text(self, *, field_args: dict[str, Any], **extra: Any) -> Any: ...
