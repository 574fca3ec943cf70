"""What runs in the sandbox: a student's cells, then each function on its cases; answers go out as lines of JSON.

It reads one request from standard input, and a second one, of the cases that nobody sees, only after all else is said.
Nothing here is trusted: whatever is written is only ever compared, elsewhere, with what the right answers are. The
course's package that can be imported here holds this file and its helpers.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import importlib
import inspect
import json
import linecache
import os
import resource
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

from course_lib.exercises.engine import answers, wire
from course_lib.exercises.engine.tensors import bridge

MOST_STATES = 8  # of the notebook, kept for a function that is defined again and again


def main():
    """Answer the requests on standard input."""
    requests = os.fdopen(os.dup(0), "rb")
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    request = json.loads(requests.readline())
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)

    def say(**message):
        out.write(json.dumps(message, allow_nan=False) + "\n")
        out.flush()

    for name, most in request["limits"].items():
        with contextlib.suppress(ValueError, OSError):  # a lower one already holds
            resource.setrlimit(getattr(resource, name), (most, most))
    for module in request["imports"]:
        importlib.import_module(module)
    _become(request["become"])
    say(ready=True)
    notebook = Notebook(request["framework"], [task["function"] for task in request["exercises"]])
    for number, source in request["cells"]:
        say(begin=f"cell {number}")
        say(cell=number, error=notebook.run_cell(number, source))
    for task in request["exercises"]:
        say(begin=task["id"])
        say(exercise=task["id"], answers=[notebook.run_exercise(task, state)
                                          for state in notebook.versions(task["function"])])
    say(shown=True)
    for task in json.loads(requests.readline() or "[]"):
        say(begin=task["id"])
        state = notebook.versions(task["function"])[task["version"]]
        say(exercise=task["id"], answers=[notebook.run_exercise(task, state)])
    say(end=True)
    out.close()  # whoever listens ends this process now, with all threads that a student left running


def _become(users):
    """Become the first of these users that can be had."""
    for user in users:
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            return


class Notebook:
    """A notebook's names: as they are, and as they stood after each cell that defined one of some functions."""

    def __init__(self, framework, functions):
        self.module = sys.modules["__main__"] = ModuleType("__main__")  # so that its functions can be pickled
        self.names = self.module.__dict__
        self.framework = framework
        self.names |= {"framework": framework, "display": lambda *given, **more: None, "get_ipython": lambda: self}
        self.states = {name: [] for name in functions}  # copies of `names`, the latest first
        sys.path.insert(0, os.getcwd())

    def run_cell(self, number, source):
        """Run a cell; what went wrong, in one line, or an empty text."""
        before, text = {name: self.names.get(name) for name in self.states}, ""
        try:
            self._run(source, f"<cell {number}>")
        except BaseException as error:
            text = "an error that cannot be shown"
            with contextlib.suppress(BaseException):
                text = answers.shorten(f"{type(error).__name__}: {error}".splitlines()[0], 160)
        for name, old in before.items():
            if self.names.get(name) is not old:
                self.states[name] = [dict(self.names), *self.states[name]][:MOST_STATES]
        return text

    def _run(self, source, file="<magic>"):
        tree, source = _parsed(source, file)
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        shown = ast.Expression(tree.body.pop().value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        self._evaluate(tree, file, "exec")
        if shown and (value := self._evaluate(shown, file, "eval")) is not None:
            self.names["_"] = value

    def _evaluate(self, tree, file, mode):
        code = compile(tree, file, mode, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        value = eval(code, self.names)
        return asyncio.run(value) if code.co_flags & inspect.CO_COROUTINE else value

    def versions(self, name):
        """The states in which to try a function: after the last cell that defined it, in the end, then earlier."""
        found, end = self.states[name], dict(self.names)
        if found and found[0].keys() == end.keys() and all(found[0][key] is end[key] for key in end):
            return found
        return [*found[:1], end, *found[1:]]

    def run_exercise(self, task, state):
        """What a function makes of each case: a list of {"output": ..., "complaint": ..., "shared": ...}, or a text."""
        now = dict(self.names)
        self.names.clear()
        self.names.update(state)
        try:
            return self._answers(task)
        finally:
            self.names.clear()
            self.names.update(now)

    def _answers(self, task):
        function, found = self.names.get(task["function"]), []
        if not callable(function):
            return "missing"
        exercise = SimpleNamespace(seeded=tuple(task["seeded"]))
        for case in task["cases"]:
            try:
                answer, = answers.run(exercise, function, cases=[wire.decode(case)],
                                      bridge=bridge(self.framework) if task["tensors"] else None)
                found.append({"output": wire.encode(answer.output), "complaint": str(answer.complaint),
                              "shared": str(answer.shared)})
            except answers.NotWritten:
                return "not written"
            except wire.NotPlain as error:
                found.append({"output": None, "complaint": f"expected numbers, arrays or lists of these, got {error}",
                              "shared": ""})
            except BaseException as error:
                found.append({"output": None, "complaint": f"{type(error).__name__} in your function", "shared": ""})
        return found

    # What IPython makes of `%time x`, `%%capture`, `!ls`, `x = !ls` and `f?`: calls of these, of `get_ipython()`.

    def run_line_magic(self, name, line):
        """Run the statement behind `%time`; other magics do nothing here."""
        if name == "time":
            self._run(line)
        return os.getcwd() if name == "pwd" else None

    def run_cell_magic(self, name, line, body):
        """Run the body if that is what the magic does, in this framework."""
        if name == "writefile":
            Path(line.split()[-1]).write_text(body, encoding="utf-8")
        if name in ("time", "capture", "prun", str(self.names.get("framework"))):
            self._run(body)

    def system(self, command):
        """There is no shell."""

    def getoutput(self, command):
        """There is no shell, so there is no output."""
        return []


def _parsed(source, file):
    """A cell's syntax tree, and the Python that IPython makes of it if it is none yet."""
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        return compile(source, file, "exec", flags, dont_inherit=True), source
    except (SyntaxError, ValueError):
        from IPython.core.inputtransformer2 import TransformerManager

        source = TransformerManager().transform_cell(source.replace("\0", ""))
        return compile(source, file, "exec", flags, dont_inherit=True), source


if __name__ == "__main__":
    main()
