"""`dataclass` of the standard library, whose methods are made when they are first called.

The standard library writes and compiles six functions for each class while its module is imported.
With 300 classes that is a third of the time of a small run, and most of them are never called. It
makes them here too, with the same results, but late; type checkers see its own decorator.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - handed on
else:

    def dataclass(cls: type | None = None, /, **options: bool) -> Any:
        """Decorate a class; the options are those of the standard library."""
        if cls is None:
            return lambda decorated: dataclass(decorated, **options)
        if options.keys() - {"frozen", "slots"}:
            return dataclasses.dataclass(**options)(cls)
        return _made(cls, **options)


def _made(cls: type, *, frozen: bool = False, slots: bool = False) -> type:
    """The class with its fields, and with methods that replace themselves."""
    own = cls.__dict__
    if not cls.__doc__:
        cls.__doc__ = cls.__name__  # it would be made of the signature, which takes long
    hashed = own.get("__hash__") is not None
    made: type = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
    if "__init__" not in own:
        _late(made, "__init__", frozen=frozen, init=True)
    if "__repr__" not in own:
        _late(made, "__repr__", repr=True)
    if "__eq__" not in own:
        _late(made, "__eq__", eq=True)
        if not hashed and frozen:
            _late(made, "__hash__", eq=True, unsafe_hash=True)
        elif not hashed:
            made.__hash__ = None  # type: ignore[assignment]
    if frozen:
        _freeze(made, [field.name for field in dataclasses.fields(made)])
    return made


def _late(cls: type, name: str, **options: bool) -> None:
    """Give a class a method that is made by its first call, which then goes to what was made."""

    def stub(self: object, *args: object, **named: object) -> object:
        return _method(cls, name, options)(self, *args, **named)

    _set(cls, name, stub)


def _method(cls: Any, name: str, options: dict[str, bool]) -> Callable[..., object]:
    """The method as the standard library makes it, put in the place of its stub."""
    wanted: dict[str, Any] = {"init": False, "repr": False, "eq": False, **options}
    after = getattr(cls, "__post_init__", None)
    # Without a text one is made of the signature, which takes longer than all the rest.
    namespace: dict[str, Any] = {"__doc__": name}
    if after:
        namespace["__post_init__"] = after
    twin = dataclasses.make_dataclass(
        cls.__name__,
        [(field.name, field.type, field) for field in dataclasses.fields(cls)],
        namespace=namespace,
        slots="__slots__" in cls.__dict__,  # then `__init__` has to set what it does not take
        **wanted,
    )
    method: Callable[..., object] = twin.__dict__[name]
    _set(cls, name, method)
    return method


def _set(cls: type, name: str, method: Callable[..., Any]) -> None:
    method.__name__, method.__qualname__ = name, f"{cls.__qualname__}.{name}"
    setattr(cls, name, method)


def _freeze(cls: Any, names: Sequence[str]) -> None:
    """Refuse to assign and to delete, and let copies be made all the same."""

    def refuse(self: object, name: str, value: object) -> None:
        if type(self) is cls or name in names:
            _refuse("assign to", name)
        super(cls, self).__setattr__(name, value)

    def keep(self: object, name: str) -> None:
        if type(self) is cls or name in names:
            _refuse("delete", name)
        super(cls, self).__delattr__(name)

    def state(self: object) -> list[object]:
        return [getattr(self, name) for name in names]

    def restore(self: object, state: Sequence[object]) -> None:
        for name, value in zip(names, state, strict=True):
            object.__setattr__(self, name, value)

    _set(cls, "__setattr__", refuse)
    _set(cls, "__delattr__", keep)
    if "__slots__" in cls.__dict__:
        _set(cls, "__getstate__", state)
        _set(cls, "__setstate__", restore)


def _refuse(what: str, name: str) -> NoReturn:
    raise dataclasses.FrozenInstanceError(f"cannot {what} field {name!r}")
