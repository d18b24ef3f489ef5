"""From OPTIONS to an auth backend, or to everything that is wrong with them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from apiclient_app.auth import AuthBackend, ClientCredentials, OptionError, Secret
from apiclient_app.auth.options import build


@dataclass(frozen=True, kw_only=True, repr=False)
class Everything(AuthBackend):
    """One option of each kind."""

    url: str = ""
    code: Secret[str] = Secret("x")  # noqa: RUF009
    codes: Secret[Mapping[str, Any]] = Secret({"a": 1})  # noqa: RUF009
    life: float = 1.0
    tries: int = 1
    on: bool = False
    how: Literal["a", "b"] = "a"
    names: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    maybe: str | None = None
    secret: Secret[str] | None = None
    loose: Secret[Mapping[str, Any]] | Mapping[str, Any] = field(default_factory=dict)
    either: int | list[str] = 0
    anything: Any = None
    bare: dict = field(default_factory=dict)  # type: ignore[type-arg]


FITTING: list[tuple[str, Any]] = [
    ("url", "x"),
    ("code", "x"),
    ("code", Secret("x")),
    ("codes", {"a": [1]}),
    ("life", 1),
    ("life", 1.5),
    ("tries", 3),
    ("on", True),
    ("how", "b"),
    ("names", ["a", "b"]),
    ("names", ("a",)),
    ("extra", {"a": "b"}),
    ("maybe", None),
    ("maybe", "x"),
    ("secret", None),
    ("secret", "x"),
    ("secret", Secret("x")),
    ("loose", {}),
    ("loose", {"a": 1}),
    ("either", 1),
    ("either", ["a"]),
    ("anything", 1j),
    ("bare", {}),
]
UNFITTING: list[tuple[str, Any, str]] = [
    ("url", 1, "Give a text."),
    ("url", None, "Give a text."),
    ("code", "", "Give a text that is not empty."),
    ("code", None, "Give a text that is not empty."),
    ("code", 7, "Give a text that is not empty."),
    ("codes", {}, "Give a dict that is not empty."),
    ("codes", "x", "Give a dict that is not empty."),
    ("life", "1", "Give a number."),
    ("life", True, "Give a number."),
    ("tries", 1.5, "Give a whole number."),
    ("tries", False, "Give a whole number."),
    ("on", 1, "Give True or False."),
    ("how", "c", "Give one of 'a', 'b'."),
    ("how", ["a"], "Give one of 'a', 'b'."),
    ("names", "ab", "Give a list."),
    ("names", [1], "Give a list."),
    ("extra", {"a": 1}, "Give a dict."),
    ("extra", [], "Give a dict."),
    ("maybe", 1, "Give a text or None."),
    ("secret", "", "Give a text that is not empty or None."),
    ("secret", 7, "Give a text that is not empty or None."),
    ("loose", "x", "Give a dict."),
    ("bare", [], "Give a dict."),
]


@pytest.mark.parametrize(("option", "value"), FITTING, ids=repr)
def test_a_value_that_fits_its_annotation_is_taken(option: str, value: Any) -> None:
    backend, problems = build(Everything, {option: value})
    assert problems == []
    assert isinstance(backend, Everything)


@pytest.mark.parametrize(("option", "value", "remedy"), UNFITTING, ids=repr)
def test_a_value_that_does_not_fit_is_named_with_its_remedy(
    option: str, value: Any, remedy: str
) -> None:
    backend, (problem,) = build(Everything, {option: value})
    assert backend is None
    assert (problem.kind, problem.option, problem.remedy) == ("wrong", option, remedy)


def test_secrets_are_wrapped_and_lists_frozen() -> None:
    options = {"code": "hunter2", "names": ["a"], "secret": "hunter3", "loose": {"a": 1}}
    backend, _ = build(Everything, options)
    assert isinstance(backend, Everything)
    assert (backend.code, backend.secret) == (Secret("hunter2"), Secret("hunter3"))
    assert backend.loose == Secret({"a": 1})
    assert backend.names == ("a",)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    options = {"client_id": 7, "client_secret": "", "clientsecret": "x", "scopes": "a"}
    backend, problems = build(ClientCredentials, options)
    assert backend is None
    assert {(p.kind, p.option) for p in problems} == {
        ("missing", "token_url"),
        ("wrong", "client_id"),
        ("wrong", "client_secret"),
        ("unknown", "clientsecret"),
        ("unknown", "scopes"),
    }


def test_an_unknown_option_is_told_which_are_known() -> None:
    _, (problem,) = build(Everything, {"uri": "x"})
    assert "url" in problem.remedy


class Choosy(AuthBackend):
    """An ordinary class, with a constructor that has an opinion."""

    def __init__(self, code: Secret[str], size: int = 1) -> None:
        if size > 3:
            raise ValueError("size is more than 3")
        self.code = code


def test_an_ordinary_class_has_its_constructors_options() -> None:
    backend, problems = build(Choosy, {"code": "hunter2"})
    assert problems == []
    assert isinstance(backend, Choosy)
    assert backend.code.reveal() == "hunter2"


def test_what_a_constructor_objects_to_is_passed_on() -> None:
    _, (problem,) = build(Choosy, {"code": "x", "size": 4})
    assert problem.remedy == "size is more than 3."


class Particular(AuthBackend):
    """Knows better than its constructor's signature what is missing."""

    def __init__(self, code: str = "", key: str = "") -> None:
        if len(code) > 3:
            raise OptionError("wrong", "code", "Give three letters.")

    @classmethod
    def also_needed(cls, options: Mapping[str, Any]) -> Collection[str]:
        return ["key"] if options.get("code") == "key" and not options.get("key") else []


def test_an_option_can_make_another_one_necessary() -> None:
    assert build(Particular, {"code": "key", "key": "k"})[1] == []
    assert build(Particular, {})[1] == []
    _, (problem,) = build(Particular, {"code": "key"})
    assert (problem.kind, problem.option) == ("missing", "key")
    assert problem.remedy == "Add 'key'."


def test_an_objection_to_an_option_names_it() -> None:
    _, (problem,) = build(Particular, {"code": "hunter2"})
    assert (problem.kind, problem.option) == ("wrong", "code")
    assert problem.remedy == "Give three letters."
    with pytest.raises(ValueError, match="option 'code' is wrong: Give three letters"):
        Particular(code="hunter2")


class Unreadable(AuthBackend):
    def __init__(self, code: "Nowhere") -> None:  # type: ignore[name-defined]  # noqa: F821
        self.code = code


def test_an_annotation_that_cannot_be_resolved_takes_any_value() -> None:
    backend, problems = build(Unreadable, {"code": object()})
    assert problems == []
    assert backend is not None


def test_a_problem_never_shows_the_value() -> None:
    options = {"client_id": ["hunter2"], "client_secret": ["hunter2"], "scope": {"a": "hunter2"}}
    _, problems = build(ClientCredentials, options)
    assert "hunter2" not in repr(problems)
