"""Every Python that starts with this folder on PYTHONPATH behaves as if one framework were not installed.

COURSE_TEST_ONLY names the one that is. Test processes, what they start, and the kernels of notebooks obey.
"""

import os
import sys
from importlib.machinery import PathFinder

HIDDEN = {"pytorch": ("keras", "tensorflow"), "keras": ("torch",)}.get(os.environ.get("COURSE_TEST_ONLY"), ())


class OneFrameworkFinder(PathFinder):
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        return None if fullname in HIDDEN else super().find_spec(fullname, path, target)


sys.meta_path[:] = [OneFrameworkFinder if finder is PathFinder else finder for finder in sys.meta_path]
