"""For teachers: assignments from the exercises, and grading where a student's code cannot reach the score."""
