"""The studies of merging: who sees which images, and what is chosen on which."""

import merging as study
import numpy as np
from watched import MARK, Watched, never_taught_with_tests, with_marked_tests


def rows(images):
    return {np.ascontiguousarray(image).tobytes() for image in images}


def test_each_task_has_its_view_and_its_own_images(digits):
    (shown, labels), tasks = study.three_tasks(digits, base=150)
    assert shown.shape == (450, 8, 8) and list(tasks) == ["upright", "mirrored", "turned"]
    undo = {"upright": lambda x: x, "mirrored": lambda x: x[:, :, ::-1], "turned": lambda x: np.rot90(x, -1, (1, 2))}
    seen = [rows(shown[:150])]
    for name, task in tasks.items():
        np.testing.assert_array_equal(undo[name](task["test"][0]), digits.x_test)
        seen += [rows(undo[name](task[part][0])) for part in ("train", "held")]
        assert 3.8 < len(task["train"][1]) / len(task["held"][1]) < 4.3
    everything = set().union(*seen)
    assert sum(map(len, seen)) <= len(everything) + 2  # of all the digits two pairs are alike
    np.testing.assert_array_equal(labels[:150], labels[150:300])


def test_students_never_see_the_images_of_their_teachers(twin, digits):
    nets = Watched(twin("networks"))
    found = study.lessons(twin("merging"), nets, study.few())
    first, second = rows(nets.lessons[0][0][0]), rows(nets.lessons[3][0][0])
    assert not first & second and len(first) + len(second) >= 299
    for place, (x, _) in enumerate(nets.lessons):
        assert rows(x[0]) <= (first if place < 3 else second)
    assert found["labels that the insiders know"] > found["labels that the teacher knows"]


class Looking(Watched):
    """A twin of networks that remembers what its networks have looked at."""

    looked = ()

    def predict(self, model, x, **options):
        self.looked = (*self.looked, x)
        return self.nets.predict(model, x, **options)


def test_forks_and_soups_are_chosen_on_held_out_images(twin, digits, monkeypatch):
    nets, marked, greedy = Looking(twin("networks")), with_marked_tests(digits), study.weights.greedy_soup

    def watched(networks, score):
        nets.looked = ()
        found = greedy(networks, score)
        assert nets.looked and not any(np.isclose(x, MARK, atol=1e-4).any() for x in nets.looked)
        return found

    monkeypatch.setattr(study.weights, "greedy_soup", watched)
    table, walls, members = study.weight_space(nets, marked, width=8, points=3)
    assert never_taught_with_tests(nets) and walls["naive"] >= 0 and 1 <= members <= len(study.FORKS)
    taught = set().union(*(rows(x[0]) for x, _ in nets.lessons))
    held = rows(study.held_out(marked, 0)[1])
    assert len(taught & held) <= 1 and table.keys() >= {"uniform soup", "greedy soup", "mean, matched first"}


def test_no_expert_is_taught_with_test_images(twin, digits):
    nets = Watched(twin("networks"))
    found = study.tasks_table(twin("merging"), nets, twin("fusion"), with_marked_tests(digits), hidden=(8, 8), epochs=1)
    assert never_taught_with_tests(nets) and {len(values) for values in found.values()} == {3}
