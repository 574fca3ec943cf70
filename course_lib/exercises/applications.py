"""The quiz of notebook 07 stands in `quizzes/applications.json`; it has no exercises yet."""

from course_lib.exercises.engine.exercise import Topic

TOPIC = Topic(number="07", package="applications", title="Fusion at work")
