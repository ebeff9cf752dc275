"""What the answers of a function or class depend on: its code, and all that the code refers to."""

import ast
import builtins
import contextlib
import dis
import functools
import importlib.metadata
import inspect
import os
import platform
import site
import sys
import sysconfig
import textwrap
import types

__all__ = ["code_parts", "is_code"]

# Entries of a class's namespace that say nothing about what it does.
_NO_BEHAVIOUR = {
    *("__module__", "__qualname__", "__doc__", "__dict__", "__weakref__", "__annotations__"),
    *("__abstractmethods__", "_abc_impl", "__parameters__", "__orig_bases__", "__slots__"),
    *("__firstlineno__", "__static_attributes__", "__dataclass_params__", "__match_args__"),
    *("__annotate__", "__slotnames__"),
}

# Made by C code, or by Python for slots.
_DESCRIPTORS = (
    types.BuiltinFunctionType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
)

# Functions of C and Cython, bound or not.
_FUNCTIONS_OF_C = (*_DESCRIPTORS, types.MethodWrapperType, type(functools.lru_cache(len)))
_NAMES_OF_CYTHON = ("cython_function_or_method", "fused_cython_function")

# Decorated functions of Python's own, and where they hold the function they were made of.
_DECORATED = {
    classmethod: "__func__",
    staticmethod: "__func__",
    functools.cached_property: "func",
    type(functools.lru_cache(len)): "__wrapped__",
}

_CHANGING_METHODS = {
    *("append", "appendleft", "extend", "insert", "add", "update", "setdefault"),
    *("pop", "popitem", "clear", "remove", "discard"),
}

_IS_HEAP_TYPE = 1 << 9


def is_code(item):
    """Tell whether an object is a function or class, decorated or not.

    Parameters
    ----------
    item : object

    Returns
    -------
    bool
    """
    kinds = (type, types.FunctionType, types.ModuleType, property, *_FUNCTIONS_OF_C)
    is_function_of_cython = type(item).__name__ in _NAMES_OF_CYTHON
    return isinstance(item, kinds) or is_function_of_cython or _held_function(item) is not None


def code_parts(item):
    """List the parts of a function or class, in a fixed order.

    Of installed packages, they are names and versions. Of other code, they are bytecode,
    constants, default values, what closures hold, and the functions, classes and values of other
    modules that the code names. A class has those of all its base classes.

    A variable that the code only writes to, such as a counter, is left out.

    Parameters
    ----------
    item : object
        For which `is_code` is true.

    Returns
    -------
    parts : list
        Strings, bytes, values, and further functions and classes.
    """
    if isinstance(item, types.ModuleType):
        return [item.__name__, _version(item.__name__)]
    if isinstance(item, property):
        return ["property", item.fget, item.fset, item.fdel]
    if isinstance(item, type):
        return [type(item), *(_class_parts(kind) for kind in item.__mro__ if kind is not object)]
    if isinstance(item, types.FunctionType):
        return _function_parts(item)
    if (held := _held_function(item)) is not None:
        return [type(item).__qualname__, held]
    owner = getattr(item, "__self__", None)
    is_bound = owner is not None and not isinstance(owner, types.ModuleType)
    version = _version(getattr(item, "__module__", None))
    return [item.__qualname__, version, owner if is_bound else None]


def _held_function(item):
    """Return the function inside a decorated one, such as a property or numba's compiled code."""
    of_numba = getattr(item, "py_func", None) if not isinstance(item, type) else None
    if isinstance(of_numba, types.FunctionType):
        return of_numba
    attribute = _DECORATED.get(type(item))
    return None if attribute is None else getattr(item, attribute)


# -- functions ---------------------------------------------------------------------------


def _function_parts(function):
    code = function.__code__
    cells = [_content(cell) for cell in function.__closure__ or ()]
    wrapped = getattr(function, "__wrapped__", None)
    if _is_installed_file(code.co_filename):
        version = _version(function.__module__)
        return [function.__qualname__, version, wrapped, *([] if wrapped else cells)]
    parts = ["function", function.__qualname__, *_bytecode(code), wrapped, cells]
    parts += [function.__defaults__, function.__kwdefaults__]
    unread = _only_written(function)
    attributes = sorted(_names(code, "co_names"))
    for name in sorted(_globals_of(code) - unread):
        if name not in function.__globals__:
            parts.append(name)  # a builtin, or not yet there
            continue
        value = function.__globals__[name]
        parts += [name, value]
        if isinstance(value, types.ModuleType) and not _is_installed(value.__name__):
            parts += [(a, vars(value)[a]) for a in attributes if a in vars(value)]
    return parts


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _bytecode(code):
    """List the bytecode, names and constants of a code object, nested ones included."""
    parts = [code.co_code, code.co_names, code.co_freevars, code.co_flags]
    parts += [code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]]
    for constant in code.co_consts:
        is_nested = isinstance(constant, types.CodeType)
        parts.append(_bytecode(constant) if is_nested else constant)
    return parts


def _codes(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _names(code, attribute):
    return {name for part in _codes(code) for name in getattr(part, attribute)}


def _globals_of(code):
    """Find the global names that a code object reads."""
    return {
        instruction.argval
        for part in _codes(code)
        for instruction in dis.get_instructions(part)
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }


# -- classes -----------------------------------------------------------------------------


def _class_parts(kind):
    is_from_builtins = kind.__module__ == "builtins"
    # the class of code run by exec() is said to be of builtins, too
    is_known = not (is_from_builtins and kind.__flags__ & _IS_HEAP_TYPE)
    if is_known and _is_installed(kind.__module__):
        return [f"{kind.__module__}.{kind.__qualname__}", _version(kind.__module__)]
    unread = _only_written(kind)
    namespace = {
        name: value
        for name, value in vars(kind).items()
        if name not in _NO_BEHAVIOUR and name not in unread
    }
    # what such a variable begins with is in the source
    source = _source(kind) if unread & vars(kind).keys() else None
    return ["class", kind.__qualname__, source, sorted(namespace.items())]


# -- variables that are only written to ----------------------------------------------------


def _source(item):
    try:
        return textwrap.dedent(inspect.getsource(item))
    except (OSError, TypeError, IndentationError):  # compiled, or typed into a terminal
        return None


def _only_written(item):
    """Find the names of variables and attributes whose content the code changes, but never reads.

    In ``self.calls["fits"] += 1``, that is ``calls``.
    """
    source = _source(item)
    try:
        tree = ast.parse(source or "")
    except SyntaxError:  # part of a line, such as a lambda's
        return set()
    written = set(map(id, _written(tree)))
    seen, unread = {}, set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Name, ast.Attribute)):
            name = node.id if isinstance(node, ast.Name) else node.attr
            is_class_body = isinstance(node.ctx, ast.Store) and isinstance(node, ast.Name)
            seen[name] = seen.get(name, False) or not (id(node) in written or is_class_body)
            if id(node) in written:
                unread.add(name)
    return {name for name in unread if not seen[name]}


def _written(tree):
    """Yield the variables and attributes of which statements change the content."""
    for node in ast.walk(tree):
        targets = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AugAssign):
            targets = [node.target]
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            method = node.value.func
            if isinstance(method, ast.Attribute) and method.attr in _CHANGING_METHODS:
                yield method.value
        for target in targets:
            if isinstance(target, ast.Subscript):
                yield target.value
            elif isinstance(target, ast.Attribute) and isinstance(node, ast.AugAssign):
                yield target


# -- what is installed ---------------------------------------------------------------------


@functools.cache
def _installed_folders():
    folders = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    folders += [*site.getsitepackages(), site.getusersitepackages()]
    folders += [path for path in sys.path if os.path.basename(path) == "site-packages"]
    return tuple({os.path.join(os.path.realpath(folder), "") for folder in folders})


@functools.lru_cache(maxsize=4096)
def _is_installed_file(path):
    return path.startswith("<frozen") or os.path.realpath(path).startswith(_installed_folders())


def _is_installed(name):
    """Tell whether a module is of Python, of an installed package or of this one."""
    if name is None or name == "__main__":
        return False
    if name.partition(".")[0] == __name__.partition(".")[0]:
        return True
    module = sys.modules.get(name)
    if module is None:
        return False
    file = getattr(module, "__file__", None)
    if file is None:
        return name in sys.builtin_module_names or name in sys.stdlib_module_names
    return _is_installed_file(file)


def _version(name):
    """Return the version of the package of a module, as well as one can tell."""
    package = (name or "").partition(".")[0]
    version = getattr(sys.modules.get(package), "__version__", None)
    if isinstance(version, str):
        return version
    if package in sys.stdlib_module_names or package in ("", builtins.__name__):
        return platform.python_version()
    return _version_of_distribution(package)


@functools.cache
def _version_of_distribution(package):
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package)
    file = getattr(sys.modules.get(package), "__file__", None)
    if file is None or not os.path.exists(file):
        return None
    return f"{os.path.getsize(file)} bytes of {os.path.getmtime(file)}"
