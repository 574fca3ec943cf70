"""What runs in the sandbox: a student's cells, then each function on its cases; answers go out as lines of JSON.

It reads one request from standard input. Nothing here is trusted: whatever is written is only ever compared, elsewhere,
with what the right answers are. The course's package that can be imported here holds this file and its helpers.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import linecache
import os
import resource
import sys
from types import SimpleNamespace

from course_lib.classroom import wire
from course_lib.exercises.engine import answers
from course_lib.exercises.engine.tensors import bridge


def main():
    """Answer the request on standard input."""
    request = json.loads(sys.stdin.buffer.read())
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
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
    if request["become"] is not None:
        os.setgroups([])
        os.setgid(request["become"])
        os.setuid(request["become"])
    framework = request["framework"]
    say(ready=True)
    namespace = {"__name__": "__main__", "framework": framework, "display": lambda *given, **more: None}
    for number, source in request["cells"]:
        say(begin=f"cell {number}")
        say(cell=number, error=run_cell(number, source, namespace))
    for task in request["exercises"]:
        say(begin=task["id"])
        say(exercise=task["id"], answers=run_exercise(task, framework, namespace))
    say(end=True)
    out.close()  # whoever listens ends this process now, with all threads that a student left running


def run_cell(number, source, namespace):
    """Run a cell; what went wrong, in one line, or an empty text."""
    file = f"<cell {number}>"
    # What only a notebook understands is left out.
    lines = ["" if line.startswith(("%", "!", "?")) else line for line in source.splitlines()]
    linecache.cache[file] = (len(source), None, [line + "\n" for line in lines], file)
    try:
        exec(compile("\n".join(lines), file, "exec", dont_inherit=True), namespace)
    except BaseException as error:
        with contextlib.suppress(BaseException):
            return answers.shorten(f"{type(error).__name__}: {error}".splitlines()[0], 160)
        return "an error that cannot be shown"
    return ""


def run_exercise(task, framework, namespace):
    """What a function makes of each case: a list of {"output": ..., "complaint": ..., "shared": ...}, or a text."""
    function = namespace.get(task["function"])
    if not callable(function):
        return "missing"
    exercise = SimpleNamespace(seeded=tuple(task["seeded"]))
    found = []
    for case in task["cases"]:
        try:
            answer, = answers.run(exercise, function, cases=[wire.decode(case)],
                                  bridge=bridge(framework) if task["tensors"] else None)
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


if __name__ == "__main__":
    main()
