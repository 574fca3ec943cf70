"""The exercises of notebook 01: what a DQN learns towards, and from what."""

from __future__ import annotations

import numpy as np

from course_lib.dqn.reference import double_td_target, n_step_return, soft_update, td_target
from course_lib.dqn.schedules import linear_epsilon
from course_lib.exercises.engine.exercise import Exercise, Topic, WrongAnswer


def _f32(*values):
    return np.array(values, np.float32)


def _td_cases(rng):
    cases = [
        dict(reward=_f32(1), discount=_f32(0.9), terminated=_f32(0), next_q=_f32([2, 3])),  # 1 + 0.9 * 3
        dict(reward=_f32(1), discount=_f32(0.9), terminated=_f32(1), next_q=_f32([2, 3])),  # 1: it is over
        dict(reward=_f32(1, 1), discount=_f32(1, 1), terminated=_f32(0, 0), next_q=_f32([-1, -2], [5, 6])),
        dict(reward=_f32(0, -1), discount=_f32(0.5, 0.2), terminated=_f32(0, 1), next_q=_f32([4, 8], [8, 4])),
    ]
    for batch, actions in ((3, 3), (5, 2), (8, 4)):
        cases.append(dict(reward=rng.normal(size=batch).astype(np.float32),
                          discount=(0.9 ** rng.integers(1, 4, batch)).astype(np.float32),
                          terminated=rng.permutation(np.arange(batch) % 3 == 0).astype(np.float32),
                          next_q=rng.normal(size=(batch, actions)).astype(np.float32)))
    return cases


TD_TARGET = Exercise(
    id="01.td_target",
    title="The target of Q-learning",
    statement="Return reward + discount * (the maximum of next_q over actions), without the second "
              "part where terminated is 1. next_q has shape (B, A), all else (B,).",
    reference=td_target,
    cases=_td_cases,
    tensors=True,
    hints=(
        "Three parts, each of shape (B,): the reward, the discount, and the value of the best next action.",
        "The best next action's value is the maximum of next_q over its last axis: one number per row.",
        "Multiply the bootstrap by (1 - terminated): nothing comes after the end of an episode.",
    ),
    wrong=(
        WrongAnswer(lambda r, d, t, q: r + d * q.max(1),
                    "You bootstrapped past a terminal state: nothing follows where terminated is 1."),
        WrongAnswer(lambda r, d, t, q: r + d * t * q.max(1),
                    "The other way round: bootstrap where terminated is 0, not where it is 1."),
        WrongAnswer(lambda r, d, t, q: r + (1 - t) * q.max(1),
                    "You left out the discount: what comes later is worth less."),
        WrongAnswer(lambda r, d, t, q: d * (1 - t) * q.max(1), "You left out the reward."),
        WrongAnswer(lambda r, d, t, q: (1 - t) * (r + d * q.max(1)),
                    "The last reward counts too: (1 - terminated) belongs to the bootstrap alone."),
        WrongAnswer(lambda r, d, t, q: d * (r + (1 - t) * q.max(1)),
                    "You discounted the reward as well: only what comes after it is discounted."),
        WrongAnswer(lambda r, d, t, q: r + d * (1 - t) * q.max(),
                    "You took the maximum over the whole batch: with an axis it gives one per row."),
        WrongAnswer(lambda r, d, t, q: r + d * (1 - t) * q.max(1)[:, None],
                    "An axis of length 1 is left over, and (B,) times (B, 1) gives (B, B): drop it."),
        WrongAnswer(lambda r, d, t, q: r + d * (1 - t) * q.mean(1),
                    "Q-learning takes the best next action's value, not the average over actions."),
        WrongAnswer(lambda r, d, t, q: (r + d) * (1 - t) * q.max(1),
                    "Brackets: the reward stands by itself, only the value of what comes next has factors."),
        WrongAnswer(lambda r, d, t, q: r + d * (1 - t) * np.maximum(q.max(1), 0),
                    "All values of a row may be negative: a search for the largest must not start at 0."),
        WrongAnswer(lambda r, d, t, q: r + d * (1 - t) * q[:, :2].max(1),
                    "There may be more than two actions: take the maximum over all columns."),
        WrongAnswer(lambda r, d, t, q: r + d * (1 - t) * q[:, 0],
                    "That is the first action's value; the best one's is wanted."),
        WrongAnswer(lambda r, d, t, q: r + d * (1 - t) * q.min(1),
                    "The best action has the largest value: max, not min."),
        WrongAnswer(lambda r, d, t, q: r - d * (1 - t) * q.max(1), "What comes later is added to the reward."),
        WrongAnswer(lambda r, d, t, q: r + d * (1 - t) * q.argmax(1).astype(np.float32),
                    "Argmax gives the number of the best action; the target needs its value."),
    ),
)


def _double_cases(rng):
    cases = [
        dict(reward=_f32(1), discount=_f32(0.5), terminated=_f32(0),
             next_q_online=_f32([3, 1]), next_q_target=_f32([2, 8])),  # 1 + 0.5 * 2
        dict(reward=_f32(1), discount=_f32(0.5), terminated=_f32(1),
             next_q_online=_f32([3, 1]), next_q_target=_f32([2, 8])),  # 1
    ]
    for case in _td_cases(rng)[2:]:
        next_q_online = case.pop("next_q")
        noise = rng.normal(size=next_q_online.shape).astype(np.float32)
        cases.append(case | dict(next_q_online=next_q_online, next_q_target=next_q_online + noise))
    return cases


def _value_of(q, by):
    return q[np.arange(len(q)), by.argmax(1)]


DOUBLE_TD_TARGET = Exercise(
    id="01.double_td_target",
    title="The target of Double DQN",
    statement="As td_target, but next_q_online (B, A), from the network being trained, picks the next action of each "
              "row, and next_q_target (B, A), from the target network, says what it is worth.",
    reference=double_td_target,
    cases=_double_cases,
    tensors=True,
    hints=(
        "Two steps: which action is best according to next_q_online, then its value in next_q_target.",
        "argmax over the last axis of next_q_online gives one action per row.",
        "Each row's own action: torch.gather or keras.ops.take_along_axis; then drop the axis of length 1.",
    ),
    wrong=(
        WrongAnswer(lambda r, d, t, on, ta: r + d * (1 - t) * ta.max(1),
                    "That is plain DQN: next_q_target both picks the action and values it."),
        WrongAnswer(lambda r, d, t, on, ta: r + d * (1 - t) * on.max(1),
                    "next_q_online both picks the action and values it: no target network is left."),
        WrongAnswer(lambda r, d, t, on, ta: r + d * (1 - t) * _value_of(on, ta),
                    "The roles are swapped: next_q_online picks the action, next_q_target values it."),
        WrongAnswer(lambda r, d, t, on, ta: r + d * (1 - t) * np.minimum(on, ta).max(1),
                    "The minimum of the two is another algorithm (clipped double Q, in TD3)."),
        WrongAnswer(lambda r, d, t, on, ta: r + d * (1 - t) * np.minimum(on.max(1), ta.max(1)),
                    "Not the smaller of two maxima: the value, in next_q_target, of the best action in next_q_online."),
        WrongAnswer(lambda r, d, t, on, ta: r + d * (1 - t) * ta[:, on.argmax(1)],
                    "q[:, actions] picks these columns of every row: take each row's own action."),
        WrongAnswer(lambda r, d, t, on, ta: r + d * (1 - t) * _value_of(ta, on)[:, None],
                    "An axis of length 1 is left over, and (B,) times (B, 1) gives (B, B): drop it."),
        WrongAnswer(lambda r, d, t, on, ta: r + d * _value_of(ta, on),
                    "You bootstrapped past a terminal state: nothing follows where terminated is 1."),
        WrongAnswer(lambda r, d, t, on, ta: r + d * t * _value_of(ta, on),
                    "The other way round: bootstrap where terminated is 0, not where it is 1."),
        WrongAnswer(lambda r, d, t, on, ta: r + d * (1 - t) * on.argmax(1),
                    "Argmax gives the number of the best action; the target needs its value."),
        WrongAnswer(lambda r, d, t, on, ta: r + d * (1 - t) * (_value_of(ta, on) + _value_of(on, on)) / 2,
                    "The value comes from next_q_target alone, not from the mean of both networks."),
        WrongAnswer(lambda r, d, t, on, ta: d * (1 - t) * _value_of(ta, on), "You left out the reward."),
        WrongAnswer(lambda r, d, t, on, ta: r + (1 - t) * _value_of(ta, on),
                    "You left out the discount: what comes later is worth less."),
    ),
)


def _epsilon_cases(rng):
    cases = [dict(step=step, start=1.0, end=0.1, decay_steps=100) for step in (0, 50, 100, 101, 5_000)]
    cases += [dict(step=30, start=0.8, end=0.2, decay_steps=100), dict(step=30, start=0.2, end=0.6, decay_steps=60)]
    for start, end in ((1.0, 0.5), (0.8, 0.05), (1.0, 0.01)):
        decay = int(rng.integers(500, 5_000))
        cases.append(dict(step=int(rng.integers(1, 2 * decay)), start=start, end=end, decay_steps=decay))
    return cases


EPSILON_AT = Exercise(
    id="01.epsilon_at",
    title="How much to explore, and when",
    statement="Return epsilon at a step: `start` at step 0, `end` from step `decay_steps` on, and a straight "
              "line between. It may fall or rise.",
    reference=linear_epsilon,
    cases=_epsilon_cases,
    hints=(
        "Which share of the way has been gone at this step? It is between 0 and 1.",
        "The share is step / decay_steps, and 1 from decay_steps on: min(..., 1).",
        "Go that share of the way from start to end: start + share * (end - start).",
    ),
    wrong=(
        WrongAnswer(lambda s, start, end, n: start + s / n * (end - start),
                    "Your line goes on below `end`, and one day below 0: stop it at decay_steps."),
        WrongAnswer(lambda s, start, end, n: max(0.0, start + s / n * (end - start)),
                    "You stop at 0 instead of at `end`: some exploration stays."),
        WrongAnswer(lambda s, start, end, n: max(end, start + s / n * (end - start)),
                    "max(end, ...) stops a line that falls; this one may also rise. Limit the share of the way."),
        WrongAnswer(lambda s, start, end, n: end + (start - end) * float(np.exp(-s / n)),
                    "That is an exponential decay; this one is a straight line."),
        WrongAnswer(lambda s, start, end, n: max(end, start * (1 - s / n)),
                    "Your line heads for 0 and is cut off at `end`: it should head for `end`."),
        WrongAnswer(lambda s, start, end, n: end + min(s / n, 1.0) * (start - end),
                    "Start and end are swapped: step 0 gives `start`."),
        WrongAnswer(lambda s, start, end, n: start + min(s // n, 1) * (end - start),
                    "Epsilon jumps at decay_steps; it should go along a line. If it is //: that drops the fraction."),
        WrongAnswer(lambda s, start, end, n: start + min(s / n, 1.0) * (start - end),
                    "The way from start to end is end - start, not start - end."),
        WrongAnswer(lambda s, start, end, n: start + max(s / n, 1.0) * (end - start),
                    "The share of the way is *at most* 1: min, not max."),
        WrongAnswer(lambda s, start, end, n: start * (end / start) ** min(s / n, 1.0),
                    "That is a geometric decay; this one is a straight line."),
        WrongAnswer(lambda s, start, end, n: 1.0 + min(s / n, 1.0) * (end - 1.0),
                    "The line begins at `start`, which need not be 1."),
        WrongAnswer(lambda s, start, end, n: start - min(s / n, 1.0) * end,
                    "The way from start to end is end - start, not end."),
        WrongAnswer(lambda s, start, end, n: start - min(s / n, 1.0) * start,
                    "That line ends at 0: it should end at `end`."),
        WrongAnswer(lambda s, start, end, n: start + min(s / (n - 1), 1.0) * (end - start),
                    "The line reaches `end` at step decay_steps, not one before: it takes decay_steps steps."),
        WrongAnswer(lambda s, start, end, n: start + min((s + 1) / n, 1.0) * (end - start),
                    "You are one step ahead: at step 0 epsilon is `start` itself."),
    ),
)


def _n_step_cases(rng):
    def case(rewards, gamma, end, bootstrap_value):
        return dict(rewards=np.array(rewards, float), gamma=gamma, terminated=np.arange(len(rewards)) == end,
                    bootstrap_value=float(bootstrap_value))

    cases = [
        case([1], 0.5, None, 4),  # 1 + 0.5 * 4
        case([1, 2, 4], 0.5, None, 8),  # 1 + 1 + 1 + 1
        case([1, 2, 4], 0.5, 2, 8),  # 1 + 1 + 1
        case([1, 2, 4], 0.5, 0, 8),  # 1: what follows belongs to the next episode
        case([1, 2, 4], 1.0, 1, 8),  # 1 + 2
    ]
    cases.append(cases[-1] | dict(terminated=np.array([False, True, True])))  # two ends: the first counts
    for n, end in ((2, None), (4, 2), (5, None), (5, 4)):
        cases.append(case(rng.normal(size=n), 0.9, end, rng.normal()))
    return cases


def _n_step(rewards, gamma, keep, bootstrap_value, power):
    """The first `keep` rewards, discounted, plus gamma ** power times the bootstrap value (None: without)."""
    total = sum(gamma**k * reward for k, reward in enumerate(rewards[:keep]))
    return float(total if power is None else total + gamma**power * bootstrap_value)


def _length(ended):
    return int(np.argmax(ended)) + 1 if ended.any() else len(ended)


N_STEP_RETURN = Exercise(
    id="01.n_step_return",
    title="Several rewards before the bootstrap",
    statement="Return the sum of `gamma**k * rewards[k]` up to and including the first terminated step; if "
              "none is, over all n steps, plus `gamma**n * bootstrap_value`. rewards and terminated are (n,).",
    reference=n_step_return,
    cases=_n_step_cases,
    hints=(
        "Go through the steps with a running discount, which starts at 1.",
        "Add discount * reward, multiply the discount by gamma, and return if this step is terminated.",
        "After the loop the discount is gamma**n: add discount * bootstrap_value.",
    ),
    wrong=(
        WrongAnswer(lambda r, g, t, v: _n_step(r, g, _length(t), v, _length(t)),
                    "You bootstrapped past a terminal state: without a next state there is no value."),
        WrongAnswer(lambda r, g, t, v: _n_step(r, g, None, v, None if t.any() else len(r)),
                    "You went on past the end: what follows belongs to the next episode."),
        WrongAnswer(lambda r, g, t, v: _n_step(r, g, _length(t) - t.any(), v, None if t.any() else len(r)),
                    "The reward of the terminated step itself still counts."),
        WrongAnswer(lambda r, g, t, v: g * _n_step(r, g, _length(t), v, None if t.any() else len(r) - 1),
                    "You discount one step too many: the first reward counts in full, gamma**0."),
        WrongAnswer(lambda r, g, t, v: _n_step(r, g, _length(t), v, None if t.any() else len(r) - 1),
                    "The bootstrap value lies n steps ahead: its discount is gamma**n, not gamma**(n-1)."),
        WrongAnswer(lambda r, g, t, v: _n_step(r, g, _length(t), v, None if t.any() else 0),
                    "You did not discount the bootstrap value: it lies n steps ahead."),
        WrongAnswer(lambda r, g, t, v: float(r[:_length(t)].sum() + (0 if t.any() else g ** len(r) * v)),
                    "The rewards are discounted too: reward k counts gamma**k."),
        WrongAnswer(lambda r, g, t, v: _n_step(r, g, len(r), v, None if t[-1] else len(r)),
                    "The episode may end before the last step: look at every flag."),
        WrongAnswer(lambda r, g, t, v: _n_step(r, g, 1, v, None if t[0] else 1),
                    "You look one step ahead: go on to the next reward unless the step is terminated."),
        WrongAnswer(lambda r, g, t, v: _n_step(r, g, 1, v, None), "Your loop returns in its first round."),
        WrongAnswer(lambda r, g, t, v: float(sum(g * k * reward for k, reward in enumerate(r[:_length(t)]))
                                             + (0 if t.any() else g * len(r) * v)),
                    "gamma to the power of k, not times k: gamma**k."),
        WrongAnswer(lambda r, g, t, v: _n_step(r, g, int(np.argmax(t)) + 1, v, None if t.any() else len(r)),
                    "argmax of no True is 0: treat the case that nothing ends apart."),
        WrongAnswer(lambda r, g, t, v: _n_step(r, g, _length(t), v, None),
                    "You left out the bootstrap value, which stands for everything after the n steps."),
    ),
)


def _soft_cases(rng):
    cases = [dict(target_weights=[_f32(0, 10)], weights=[_f32(10, 0)], tau=0.1),  # [1, 9]
             dict(target_weights=[_f32(1), _f32([2, 4])], weights=[_f32(3), _f32([6, 8])], tau=0.5)]
    for tau in (0.005, 1.0, 0.05):
        old, new = ([rng.normal(size=shape).astype(np.float32) for shape in ((3, 2), (2,), (4,))] for _ in range(2))
        cases.append(dict(target_weights=old, weights=new, tau=tau))
    return cases


def _soft_update_in_place(target_weights, weights, tau):
    for old, new in zip(target_weights, weights, strict=True):
        old += tau * (new - old)
    return target_weights


SOFT_UPDATE = Exercise(
    id="01.soft_update",
    title="A target network that follows slowly",
    statement="Return a list of new arrays, each a share `tau` of the way from the target network's weights "
              "to the online network's. Change no input.",
    reference=soft_update,
    cases=_soft_cases,
    hints=(
        "For one number: at tau = 0 the old target stays, at tau = 1 it becomes the online weight.",
        "(1 - tau) * old + tau * new, for each pair of arrays.",
        "A list comprehension over zip(target_weights, weights) makes new arrays.",
    ),
    wrong=(
        WrongAnswer(lambda old, new, tau: [tau * a + (1 - tau) * b for a, b in zip(old, new, strict=True)],
                    "Tau is swapped: with a small tau the target should stay nearly where it is."),
        WrongAnswer(_soft_update_in_place,
                    "You change target_weights, the list or its arrays: make a new list of new arrays."),
        WrongAnswer(lambda old, new, tau: [a + tau * b for a, b in zip(old, new, strict=True)],
                    "The weights would grow without end: the old ones need the factor (1 - tau)."),
        WrongAnswer(lambda old, new, tau: [a - tau * (b - a) for a, b in zip(old, new, strict=True)],
                    "You go away from the online network: add tau * (new - old)."),
        WrongAnswer(lambda old, new, tau: [tau * (b - a) for a, b in zip(old, new, strict=True)],
                    "That is only the step: add it to the old weights."),
        WrongAnswer(lambda old, new, tau: [1 - tau * a + tau * b for a, b in zip(old, new, strict=True)],
                    "Brackets: (1 - tau) * old."),
        WrongAnswer(lambda old, new, tau: [*((1 - tau) * a + tau * b for a, b in zip(old[:-1], new[:-1], strict=True)),
                                           old[-1].copy()], "You left out the last array."),
        WrongAnswer(lambda old, new, tau: [(1 - tau) * a for a in old], "The online weights are missing: + tau * new."),
        WrongAnswer(lambda old, new, tau: [(a + b) / 2 for a, b in zip(old, new, strict=True)],
                    "tau says how far to go; you always go half the way."),
        WrongAnswer(lambda old, new, tau: [b.copy() for b in new],
                    "That is a hard update, which copies everything; tau says how far to go."),
        WrongAnswer(lambda old, new, tau: list(new),
                    "You returned the online network's own arrays: both networks would be one."),
    ),
)


def _replay_cases(rng):
    def case(seed, capacity, size, batch_size):
        def filled(*shape):
            values = np.zeros((capacity, *shape), np.float32)
            values[:size] = rng.normal(size=(size, *shape))
            return values

        storage = dict(obs=filled(3), action=np.zeros(capacity, np.int64), reward=filled())
        storage["action"][:size] = rng.permutation(size) + 1
        return dict(rng=seed, storage=storage, size=size, batch_size=batch_size)

    first = case(1, 10, 6, 8)
    return [first, first, first | dict(rng=2), case(3, 5, 5, 4), case(4, 12, 8, 3200)]


def _rows_of(values, stored):
    """Which row of `stored` each row of `values` is; -1 for none."""
    equal = (values[:, None] == stored[None]).reshape(len(values), len(stored), -1).all(-1)
    return np.where(equal.any(1), equal.argmax(1), -1)


def _replay_fields(storage, batch):
    if isinstance(batch, dict) and batch.keys() == storage.keys():
        return ""
    some = isinstance(batch, dict) and batch.keys() < storage.keys()
    return f"expected a dict with the fields {', '.join(storage)}" + (", not only some of them" if some else "")


def _replay_complaint(storage, size, batch_size, batch):
    for name, stored in storage.items():
        shape = (batch_size, *stored.shape[1:])
        if np.shape(batch[name]) != shape:
            return f"expected the field {name} to be an array of shape {shape}, got shape {np.shape(batch[name])}"
    rows = {name: _rows_of(np.asarray(batch[name]), stored) for name, stored in storage.items()}
    if any((row < 0).any() for row in rows.values()):
        return "the batch holds something that is not in the storage"
    if any((row >= size).any() for row in rows.values()):
        return "the batch holds empty rows, which were never filled"
    if any((row != rows["obs"]).any() for row in rows.values()):
        return "the fields do not belong together: obs, action and reward come from different rows"
    return _uneven(rows["obs"], size) if batch_size >= 100 * size else ""


def _uneven(rows, size):
    counts = np.bincount(rows, minlength=size)
    if counts.max() == len(rows):
        return "all rows of the batch are the same one"
    if counts.min() == 0:
        return f"row {counts.argmin()} of {size} filled rows is never drawn"
    return "" if counts.max() < 2 * counts.min() else "not all filled rows are equally likely"


def _verify_replay(cases, outputs):
    for index, (case, batch) in enumerate(zip(cases, outputs, strict=True)):
        if complaint := _replay_fields(case["storage"], batch):
            return index, complaint
    first, again, other = (batch["reward"] for batch in outputs[:3])  # seeds 1, 1 and 2
    if np.array_equal(first, other):
        return 2, "another seed gave the very same rows: draw with the rng that is given"
    for index, (case, batch) in enumerate(zip(cases, outputs, strict=True)):
        if complaint := _replay_complaint(case["storage"], case["size"], case["batch_size"], batch):
            return index, complaint
    complaint = "the same seed gave other rows: draw with the rng that is given"
    return None if np.array_equal(first, again) else (1, complaint)


def replay_sample(rng, storage, size, batch_size):
    """A batch of transitions: the same random rows of each field."""
    rows = rng.integers(0, size, batch_size)
    return {name: stored[rows] for name, stored in storage.items()}


def _sampler(rows_of):
    """A sampler from a function of (rng, capacity, size, batch_size) that picks the rows."""
    def sample(rng, storage, size, batch_size):
        rows = rows_of(rng, len(storage["reward"]), size, batch_size)
        return {name: stored[rows] for name, stored in storage.items()}

    return sample


REPLAY_SAMPLE = Exercise(
    id="01.replay_sample",
    title="Drawing from the replay memory",
    statement="`storage` is a dict of arrays of equal length, of which only the first `size` rows are "
              "filled. Return a dict with the same fields and `batch_size` rows, drawn uniformly with "
              "replacement by the NumPy generator `rng`.",
    reference=replay_sample,
    cases=_replay_cases,
    seeded=("rng",),
    verify=_verify_replay,
    hints=(
        "Draw row numbers first, all at once; then pick those rows from each field.",
        "rng.integers(low, high, count) draws whole numbers from low to high - 1.",
        "rows = rng.integers(0, size, batch_size); then stored[rows] for each field `stored`.",
    ),
    wrong=(
        WrongAnswer(_sampler(lambda rng, capacity, size, n: rng.integers(0, capacity, n)),
                    "Rows from `size` on hold nothing yet: draw whole numbers from 0 to size - 1."),
        WrongAnswer(lambda rng, storage, size, n: {name: stored[rng.integers(0, size, n)]
                                                   for name, stored in storage.items()},
                    "You draw anew for each field: draw the rows once, and use them for all fields."),
        WrongAnswer(_sampler(lambda rng, capacity, size, n: rng.integers(0, size - 1, n)),
                    "The last filled row is never drawn: integers() leaves out its upper end already."),
        WrongAnswer(_sampler(lambda rng, capacity, size, n: np.random.default_rng().integers(0, size, n)),
                    "You draw with another generator than `rng`: the same seed must give the same batch."),
        WrongAnswer(_sampler(lambda rng, capacity, size, n: np.random.default_rng(0).integers(0, size, n)),
                    "Your rows do not depend on the rng that is given: every batch would be the same."),
        WrongAnswer(_sampler(lambda rng, capacity, size, n: rng.permutation(size)),
                    "You return `size` rows, not `batch_size`: draw that many row numbers; one may come twice."),
        WrongAnswer(_sampler(lambda rng, capacity, size, n: rng.integers(0, size)),
                    "Each field has one row only: draw and keep `batch_size` rows."),
        WrongAnswer(_sampler(lambda rng, capacity, size, n: np.full(n, rng.integers(0, size))),
                    "You draw once, and repeat it: draw `batch_size` row numbers."),
        WrongAnswer(_sampler(lambda rng, capacity, size, n: rng.integers(1, size, n)),
                    "The first row, number 0, is never drawn: rows count from 0."),
        WrongAnswer(_sampler(lambda rng, capacity, size, n: rng.integers(0, 3, n)),
                    "Only rows 0 to 2 come. Do you draw below len(storage)? That counts fields, not filled rows."),
        WrongAnswer(_sampler(lambda rng, capacity, size, n: np.round(rng.random(n) * (size - 1)).astype(int)),
                    "Each row must be equally likely: rounding, clipping and remainders favour some."),
        WrongAnswer(lambda rng, storage, size, n: list(replay_sample(rng, storage, size, n).values()),
                    "Return one dict: each field's rows, as an array, under the field's name."),
        WrongAnswer(lambda rng, storage, size, n: {"obs": replay_sample(rng, storage, size, n)["obs"]},
                    "A field is missing: make the dict before your loop over fields, and return it after."),
    ),
)

TOPIC = Topic(
    number="01",
    package="dqn",
    title="Deep Q-learning",
    exercises=(TD_TARGET, SOFT_UPDATE, REPLAY_SAMPLE, EPSILON_AT, N_STEP_RETURN, DOUBLE_TD_TARGET),
)
