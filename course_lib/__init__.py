"""Learn · Prune · Fuse: the small library behind the course. Importing it imports no framework."""

from course_lib.common.framework import use

__version__ = "0.1.0"
__all__ = ["use"]
