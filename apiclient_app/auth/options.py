"""From an OPTIONS dict to an auth backend, or to a list of all that is wrong with it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from apiclient_app.secret import Secret

from .base import AuthBackend
from .problems import OptionError, OptionProblem

NAMES: Mapping[Any, str] = {
    str: "a text",
    float: "a number",
    int: "a whole number",
    bool: "True or False",
    dict: "a dict",
    list: "a list",
    type(None): "None",
    Callable: "a callable",
}


def build(
    backend: type[AuthBackend], options: Mapping[str, Any]
) -> tuple[AuthBackend | None, list[OptionProblem]]:
    """Give the backend made of `options`, or None and every problem found."""
    parameters = {
        name: parameter
        for name, parameter in inspect.signature(backend).parameters.items()
        if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    }
    missing = [*_missing(parameters, options), *backend.also_needed(options)]
    problems = [*_unknown(parameters, options), *map(_add, missing)]
    hints = _hints(backend)
    values: dict[str, Any] = {}
    for name, value in options.items():
        if name in parameters:
            kind = hints.get(name, Any)
            if not fits(value, kind):
                problems.append(OptionProblem("wrong", name, f"Give {described(kind)}."))
            values[name] = wrapped(value, kind)
    if problems:
        return None, problems
    try:
        return backend(**values), []
    except OptionError as error:
        return None, [error.problem]
    except (ValueError, TypeError) as error:
        return None, [OptionProblem("wrong", "", f"{error}.")]


def _unknown(parameters: Mapping[str, Any], options: Mapping[str, Any]) -> list[OptionProblem]:
    known = ", ".join(sorted(parameters)) or "none"
    return [
        OptionProblem("unknown", str(name), f"Known options: {known}.")
        for name in options
        if name not in parameters
    ]


def _missing(parameters: Mapping[str, inspect.Parameter], options: Mapping[str, Any]) -> list[str]:
    return [
        name
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty and name not in options
    ]


def _add(option: str) -> OptionProblem:
    return OptionProblem("missing", option, f"Add {option!r}.")


def _hints(backend: type[AuthBackend]) -> dict[str, Any]:
    hints: dict[str, Any] = {}
    for source in (backend, backend.__init__):
        try:
            hints.update(get_type_hints(source))
        except (NameError, TypeError):  # annotations only a type checker understands
            continue
    return hints


def fits(value: Any, kind: Any) -> bool:
    """Whether a value from settings may stand where `kind` is annotated."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(fits(value, argument) for argument in arguments)
    if origin is Secret:
        return isinstance(value, Secret) or (fits(value, arguments[0]) and bool(value))
    if origin is Literal:
        return value in arguments
    if origin is tuple:
        return isinstance(value, list | tuple) and all(fits(v, arguments[0]) for v in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            fits(n, arguments[0]) and fits(v, arguments[1]) for n, v in value.items()
        )
    if kind in (float, int):
        return isinstance(value, (int, kind)) and not isinstance(value, bool)
    if kind is None or kind is type(None):
        return value is None
    if kind is Any:
        return True
    return not isinstance(kind, type) or isinstance(value, kind)


def wrapped(value: Any, kind: Any) -> Any:
    """Give `value` as the annotation has it: secrets wrapped, lists as tuples."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        fitting = [argument for argument in get_args(kind) if fits(value, argument)]
        return wrapped(value, fitting[0]) if fitting else value
    if origin is Secret and not isinstance(value, Secret):
        return Secret(value)
    if origin is tuple and isinstance(value, list):
        return tuple(value)
    return value


def described(kind: Any) -> str:
    """Name a kind for people."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        names = [described(argument) for argument in arguments]
        looser = [n for n in names if not any(n != o and n.startswith(o) for o in names)]
        return " or ".join(looser)
    if origin is Secret:
        return f"{described(arguments[0])} that is not empty"
    if origin is Literal:
        return "one of " + ", ".join(map(repr, arguments))
    if origin is tuple:
        return "a list"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "a dict"
    return NAMES.get(kind, getattr(kind, "__name__", str(kind)))
