"""What the studies of training compare: rules, schedules, tasks, and settings that are chosen on other networks."""

from types import SimpleNamespace

import numpy as np
import pytest
import training as benchmark

from course_lib.training.tasks import batches


def trained(nets, tasks, rate, steps, **options):
    """The weights after so many steps of the library's own optimizer."""
    runs = nets.TrainingRuns(benchmark.stacked(task.weights for task in tasks), **options)
    runs.train(*batches(tasks, np.random.default_rng(0), steps, 16), np.full(len(tasks), rate))
    return runs.flat


@pytest.mark.parametrize("name, options", [("SGD", {"momentum": 0.0}), ("SGD with momentum", {"momentum": 0.9}),
                                           ("RMSprop", {"optimizer": "rmsprop"}), ("Adam", {"optimizer": "adam"})])
def test_a_rule_is_the_librarys_optimizer(nets, name, options):
    tasks = [benchmark.digits(own) for own in range(3)]
    found = benchmark.descend(nets, benchmark.RULES[name], tasks, [0.01], steps=20).flat
    near = np.abs(found - trained(nets, tasks, 0.01, 20, **options)) < 1e-4  # but where gradients are like epsilon
    assert near.mean() > 0.98
    assert np.abs(found - trained(nets, tasks, 0.01, 1, **options)).max() > 0.01


def test_rates_and_schedules_by_hand(nets):
    tasks, seen = [benchmark.digits(own) for own in range(2)], []
    start = benchmark.descend(nets, benchmark.sgd, tasks, [0.1], steps=0).flat

    def ones(g, w, s, t):
        seen.append(t)
        return np.ones_like(g)

    found = benchmark.descend(nets, ones, tasks, [0.1, 0.3], steps=4, schedule=lambda share: share).flat
    np.testing.assert_allclose(np.vstack([start, start]) - found, np.repeat([[0.15], [0.45]], 2, axis=0) + 0 * found,
                               atol=1e-5)  # 0 + 1/4 + 2/4 + 3/4 of each rate
    assert seen == [1, 2, 3, 4]
    for schedule, wanted in ((benchmark.constant, [1, 1, 1]), (benchmark.cosine, [1, 0.5, 0]),
                             (benchmark.warm_up, [0, 1, 1]), (benchmark.warm_up_and_cosine, [0, 0.5868, 0])):
        np.testing.assert_allclose([schedule(share) for share in (0, 0.5, 1)], wanted, atol=1e-4)
    assert benchmark.warm_up(0.05) == benchmark.warm_up_and_cosine(0.05) == pytest.approx(0.5)


def test_decay_shrinks_kernels_alone_and_beside_the_rule(nets):
    tasks = [benchmark.digits(0)]
    start = benchmark.descend(nets, benchmark.sgd, tasks, [0.1], steps=0).flat
    still = SimpleNamespace(rule=lambda g, w, s, t: 0 * g)
    found = benchmark.descend(nets, still.rule, tasks, [0.1], steps=2, decay=0.5).flat
    kernels = np.concatenate([np.full(part.size, part.ndim == 2) for part in tasks[0].weights])
    np.testing.assert_allclose(found, np.where(kernels, 0.95**2, 1) * start, atol=1e-6)
    plain, loss = (benchmark.descend(nets, benchmark.sgd, tasks, [0.1], steps=1, l2=l2).flat for l2 in (0.0, 0.25))
    np.testing.assert_allclose(plain - loss, 0.1 * 0.5 * kernels * start, atol=1e-6)


def test_dog_by_hand():
    """Its first step is 1e-4 (1 + |w|) along the gradient; then as far as it has come, over the root of all squares."""
    w, s = np.array([[3.0, 4.0]]), {}
    step = benchmark.dog(np.array([[0.0, 2.0]]), w, s, 1)
    np.testing.assert_allclose(step, [[0, 6e-4]], rtol=1e-6)
    step = benchmark.dog(np.array([[1.0, 0.0]]), w + [[0.3, 0.4]], s, 2)
    np.testing.assert_allclose(step, [[0.5 / 5**0.5, 0]], rtol=1e-6)
    step = benchmark.dog(np.array([[1.0, 0.0]]), w, s, 3)  # back at the start: it has been as far
    np.testing.assert_allclose(step, [[0.5 / 6**0.5, 0]], rtol=1e-6)


def test_dowg_by_hand():
    """As DoG, but each square counts by how far it had come then, and so does the step, squared."""
    w, s = np.array([[3.0, 4.0]]), {}
    step = benchmark.dowg(np.array([[0.0, 2.0]]), w, s, 1)
    np.testing.assert_allclose(step, [[0, 6e-4]], rtol=1e-5)
    step = benchmark.dowg(np.array([[1.0, 0.0]]), w + [[0.3, 0.4]], s, 2)
    np.testing.assert_allclose(step, [[0.25 / (4 * 6e-4**2 + 0.25)**0.5, 0]], rtol=1e-6)


def test_each_network_has_an_optimizer_and_a_rate_of_its_own():
    torch, schedulefree = pytest.importorskip("torch"), pytest.importorskip("schedulefree")
    from course_lib.networks import in_pytorch as nets

    tasks = [benchmark.digits(own) for own in range(2)]
    options = {"steps": 20, "schedule": benchmark.cosine}
    wanted = benchmark.descend(nets, benchmark.adam, tasks, [1e-3, 0.01], **options).flat
    found = benchmark.descend_with(nets, torch.optim.Adam, tasks, [1e-3, 0.01], **options).flat
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    made = []

    def make(weights, lr):
        made.append((weights[0], schedulefree.AdamWScheduleFree(weights, lr)))
        return made[-1][1]

    averaged = benchmark.descend_with(nets, make, tasks, [0.01], steps=20).flat
    for network, (weights, optimizer) in enumerate(made):  # what is evaluated is not where gradients were taken
        np.testing.assert_allclose(averaged[network], weights.detach().numpy())
        optimizer.train()
        assert np.abs(averaged[network] - weights.detach().numpy()).max() > 1e-3


def test_the_rate_of_a_range_test(nets, monkeypatch):
    """A tenth of where the loss, smoothed, is lowest; each network has its own, and is then trained at it."""
    tasks, lowest = [benchmark.digits(own) for own in range(2)], np.array([60, 40])

    def falls_and_rises(nets, rule, tasks, rates, *, steps, schedule, seen):
        assert rates == [1e-5] and [schedule(0), schedule(1)] == [1, 1e6]
        seen += [abs(step - lowest) + 5.0 for step in range(steps - 10)] + [np.array([np.nan, np.inf])] * 10

    with monkeypatch.context() as patch:
        patch.setattr(benchmark, "descend", falls_and_rises)
        found = benchmark.range_test(None, benchmark.sgd, tasks)
    assert (found > 1e-6 * 1e6 ** (lowest / 100)).all() and (found < 1e-6 * 1e6 ** ((lowest + 12) / 100)).all()
    together = benchmark.descend(nets, benchmark.sgd, tasks, [found, found / 2], steps=5).flat
    for network, task in enumerate(tasks):
        apart = benchmark.descend(nets, benchmark.sgd, [task], [found[network]], steps=5)
        assert np.abs(together[network] - together[network + 2]).max() > 1e-5
        if network == 0:  # later tasks draw other batches when they stand alone
            np.testing.assert_allclose(together[0], apart.flat[0], atol=1e-6)


def test_names_of_fifteen_languages():
    words = benchmark.vocabulary()
    assert len(words) == 15 and len({word for own in words for word in own}) == sum(map(len, words))
    assert "deutschland" in words[benchmark.LANGUAGES.index("de")] and min(map(len, words)) >= 100
    task = benchmark.names(0)
    assert task.x.shape == (450, 512) and task.x_val.shape == (300, 512) and task.x_test.shape == (600, 512)
    assert set(np.bincount(task.y)) == {30} and [part.shape for part in task.weights] == [
        (512, 64), (64,), (64, 15), (15,)]
    rows = {row.tobytes() for row in task.x}
    assert sum(row.tobytes() in rows for row in task.x_test) < 5  # no name twice (different names may hash alike)


def test_settings_are_chosen_on_other_networks(nets, monkeypatch):
    asked = []

    def make(own):
        asked.append(own)
        return benchmark.digits(own)

    monkeypatch.setattr(benchmark, "RATES", [1e-4, 0.1])
    monkeypatch.setattr(benchmark, "TUNED", range(1_000, 1_002))
    monkeypatch.setattr(benchmark, "TESTED", 3)
    rate, options, found = benchmark.at_its_best(nets, benchmark.sgd, make, [{"l2": 50.0}, {"l2": 1e-3}], steps=60)
    assert (rate, options) == (0.1, {"l2": 1e-3}) and asked == [1_000, 1_001, 0, 1, 2]
    tasks = [benchmark.digits(own) for own in range(3)]
    runs = benchmark.descend(nets, benchmark.sgd, tasks, [0.1], steps=60, l2=1e-3)
    np.testing.assert_allclose(found, benchmark.losses(runs, tasks, "test")[:, 0], rtol=1e-5)
    rows = list(benchmark.rows_of({"rule": "SGD"}, found, rate=rate))
    assert [row["seed"] for row in rows] == [0, 1, 2] and rows[1]["accuracy"] == found[1, 1]


def test_what_explodes_is_the_worst(nets):
    tasks = [benchmark.digits(0)]
    runs = benchmark.descend(nets, benchmark.momentum, tasks, [1e6], steps=40)
    assert np.isfinite(runs.flat).all() and benchmark.losses(runs, tasks, "val")[0].min() > 100


def test_a_remedy_changes_what_it_says(nets):
    tasks, images = [benchmark.digits(own) for own in range(2)], benchmark.digits(0).x.reshape(-1, 64)
    ways = {"none": {}, "L2": {"l2": 0.05}, "dropout": {"dropout": 0.5}, "augmentation": {"shift": 0.5}}
    figures = benchmark.try_out(nets, tasks, ways, 0.02, looks=10)
    assert figures.shape == (4, 10, 4, 2)
    plain = benchmark.try_out(nets, tasks, {"none": {}}, 0.02, looks=10)
    np.testing.assert_allclose(figures[:, 0, 0], plain[:, 0, 0], rtol=1e-3)  # later batches are others
    assert (figures[0, -1, 1:].mean(axis=1) > 2 * figures[0, -1, 0].mean()).all()  # each is harder to learn by heart
    moved = benchmark.shifted(images, np.random.default_rng(0), far=0.5)
    assert moved.shape == images.shape and 0.1 < np.abs(moved - images).mean() < 0.6
    np.testing.assert_allclose(benchmark.shifted(images, np.random.default_rng(0), far=0), images, atol=1e-6)


def test_early_stopping_takes_each_network_where_its_validation_loss_was_lowest(monkeypatch):
    figures = np.zeros((4, 5, 1, 2))
    figures[1, :, 0] = [[5, 5], [1, 4], [2, 3], [3, 2], [4, 3]]
    figures[2, :, 0], figures[3, :, 0] = np.arange(10).reshape(5, 2), np.arange(10).reshape(5, 2) / 10
    monkeypatch.setattr(benchmark, "REMEDIES", {"none": [{}]})
    monkeypatch.setattr(benchmark, "TASKS", {"60 digits": benchmark.digits})
    monkeypatch.setattr(benchmark, "TESTED", 2)
    monkeypatch.setattr(benchmark, "twins", lambda framework, *topics: [None])
    monkeypatch.setattr(benchmark, "try_out", lambda *rest, **options: figures)
    rows = [row for row in benchmark.by_remedy("neither", 2) if row["remedy"] == "early stopping"]
    assert [(row["test loss"], row["strength"]) for row in rows] == [(2.0, 0.4), (7.0, 0.8)]
