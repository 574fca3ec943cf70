"""Small changes of a function's source, one at a time: each should be told apart by some case of its exercise."""

import ast
import copy

from course_lib.exercises.engine.source import shown_source

BINARY = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
          ast.FloorDiv: ast.Div, ast.Mod: ast.Mult}
COMPARE = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
NAMES = {"max": "min", "min": "max", "argmax": "argmin", "argmin": "argmax", "maximum": "minimum",
         "minimum": "maximum", "sum": "mean", "mean": "sum", "any": "all", "all": "any", "log2": "log", "log": "log2",
         "sqrt": "square", "cumsum": "sort", "argsort": "sort", "floor": "ceil", "ceil": "floor", "exp": "log1p"}


def mutants(exercise):
    """(description, function) for each small change of what `solution` shows."""
    tree = ast.parse(shown_source(exercise.reference, exercise.draw()[0]))
    defaults = tree.body[0].args.defaults
    for index, node in enumerate(ast.walk(tree.body[0])):
        if node in defaults:
            continue
        for what, change in _changes(node):
            changed = copy.deepcopy(tree)
            change(list(ast.walk(changed.body[0]))[index])
            scope = dict(exercise.reference.__globals__)
            exec(compile(ast.fix_missing_locations(changed), "<mutant>", "exec"), scope)  # noqa: S102
            yield f"line {node.lineno}: {what}", scope[changed.body[0].name]


def _changes(node):
    def to(field, value):
        return lambda found: setattr(found, field, value)

    if isinstance(node, ast.BinOp) and type(node.op) in BINARY:
        other = BINARY[type(node.op)]
        yield f"{ast.unparse(node)}: {type(node.op).__name__} to {other.__name__}", to("op", other())
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARE:
        other = COMPARE[type(node.ops[0])]
        yield f"{ast.unparse(node)}: to {other.__name__}", to("ops", [other()])
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for value in {node.value + 1, node.value - 1, 0, node.value * 2} - {node.value}:
            yield f"{node.value} to {value}", to("value", value)
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield f".{node.attr} to .{NAMES[node.attr]}", to("attr", NAMES[node.attr])
    if isinstance(node, ast.Name) and node.id in NAMES:
        yield f"{node.id} to {NAMES[node.id]}", to("id", NAMES[node.id])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield f"{ast.unparse(node)}: without the sign", to("op", ast.UAdd())
    if isinstance(node, ast.Call) and node.keywords:
        for index, keyword in enumerate(node.keywords):
            if keyword.arg in ("axis", "keepdims", "minlength", "side"):
                yield f"without {keyword.arg}={ast.unparse(keyword.value)}", (
                    lambda found, index=index: found.keywords.pop(index))
