"""The right answers as text: what a teacher's notebook shows, taken from the library's own source."""

from __future__ import annotations

import ast
import re
import textwrap
from importlib.util import find_spec
from pathlib import Path

FRAMEWORKS = ("pytorch", "keras")


def function_name(exercise):
    """The name of the function that a student writes, as in the notebooks."""
    return f"my_{exercise.name}"


def parameters(exercise):
    """The names of its parameters."""
    return tuple(exercise.draw()[0])


def given(exercise):
    """Functions that an exercise's text allows a student to use: {name: source}."""
    module = exercise.reference.__module__
    tree, lines = _parsed(module)
    return {node.name: _lines(node, lines) for node in tree.body
            if isinstance(node, ast.FunctionDef) and re.search(f"`{node.name}`", exercise.statement)}


def solution_body(exercise, topic):
    """What stands in the function's body; where the exercise is about tensors, for either framework.

    Returns
    -------
    str
        Not indented. It uses no names but the parameters, `np`, what is `given`, and, with tensors, `framework`,
        `torch`, `F` and `ops`.
    """
    reference = exercise.reference
    if not exercise.tensors:
        return _body(reference.__module__, reference.__name__, parameters(exercise))
    first, second = (topic.graded.SOLUTIONS[exercise.id][name] for name in FRAMEWORKS)
    return f'if framework == "{FRAMEWORKS[0]}":\n{textwrap.indent(first, "    ")}\n{second}'


def _parsed(module):
    text = Path(find_spec(module).origin).read_text(encoding="utf-8")  # not imported: a framework may be missing
    return ast.parse(text), text.splitlines()


def _lines(node, lines):
    return textwrap.dedent("\n".join(lines[node.lineno - 1:node.end_lineno]))


def _body(module, name, wanted):
    tree, lines = _parsed(module)
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    first = function.body[1 if ast.get_docstring(function) else 0]
    body = textwrap.dedent("\n".join(lines[first.lineno - 1:function.end_lineno]))
    return "".join(f"{name} = {default}\n" for name, default in _defaults(function) if name not in wanted) + body


def _defaults(function):
    arguments = function.args
    last = arguments.args[len(arguments.args) - len(arguments.defaults):]
    pairs = [*zip(last, arguments.defaults, strict=True),
             *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    return [(argument.arg, ast.unparse(default)) for argument, default in pairs if default is not None]
