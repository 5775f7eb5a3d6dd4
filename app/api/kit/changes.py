"""What a PATCH says: only what was sent is looked at, and what was not sent stays as it is."""

from typing import Any

from app.api.kit.wire import In


def absent() -> Any:  # noqa: ANN401 - stands for any type, and is never read
    """Stand in for what was not sent; used as a default factory, it also keeps defaults out of the description."""
    return None


def sent(wanted: In, *, all_fields: bool = False) -> dict[str, Any]:
    """Return what was sent by name, lists of codes as tuples; with `all_fields`, defaults as well."""
    fields = wanted.model_dump(exclude_unset=not all_fields)
    return {name: _frozen(value) for name, value in fields.items()}


def _frozen(value: Any) -> Any:  # noqa: ANN401 - whatever a field holds
    return tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
