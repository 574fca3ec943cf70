"""Exercises with instant feedback, and quizzes: `check`, `hint`, `solution`, `project`, `progress`, `quiz`."""

from course_lib.exercises.engine.registry import (
    check,
    class_project,
    find,
    hand_in,
    hint,
    progress,
    progress_bars,
    project,
    quiz,
    solution,
)

__all__ = ["check", "class_project", "find", "hand_in", "hint", "progress", "progress_bars", "project", "quiz",
           "solution"]
