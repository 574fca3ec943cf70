"""Answers to the exercises of dqn, as learners write them."""

import math
import random

import numpy as np
import pandas as pd

# ------------------------------------------------------------------------------------------- 01.td_target


def td_no_end(reward, discount, terminated, next_q):
    return reward + discount * next_q.max(axis=1)


def td_max_of_whole_batch(reward, discount, terminated, next_q):
    best = np.max(next_q)
    return reward + discount * (1 - terminated) * best


def td_max_over_rows(reward, discount, terminated, next_q):
    return reward + discount * (1 - terminated) * next_q.max(axis=0)


def td_mean_over_actions(reward, discount, terminated, next_q):
    value = next_q.mean(axis=-1)
    target = reward + discount * value * (1 - terminated)
    return target


def td_argmax_for_max(reward, discount, terminated, next_q):
    best = np.argmax(next_q, axis=1)
    return reward + (1 - terminated) * discount * best


def td_flag_the_wrong_way(reward, discount, terminated, next_q):
    return reward + discount * terminated * next_q.max(axis=1)


def td_drops_the_reward_too(reward, discount, terminated, next_q):
    return (1 - terminated) * (reward + discount * next_q.max(axis=1))


def td_fixed_gamma(reward, discount, terminated, next_q):
    gamma = 0.99
    return reward + gamma * (1 - terminated) * next_q.max(axis=1)


def td_forgets_discount(reward, discount, terminated, next_q):
    return reward + (1 - terminated) * next_q.max(1)


def td_column(reward, discount, terminated, next_q):
    best = next_q.max(axis=1, keepdims=True)
    return reward[:, None] + discount[:, None] * (1 - terminated[:, None]) * best


def td_keepdims_broadcast(reward, discount, terminated, next_q):
    best = next_q.max(axis=1, keepdims=True)
    return reward + discount * (1 - terminated) * best


def td_if_on_array(reward, discount, terminated, next_q):
    if terminated == 1:
        return reward
    else:
        return reward + discount * next_q.max(axis=1)


def td_returns_in_loop(reward, discount, terminated, next_q):
    targets = []
    for i in range(len(reward)):
        if terminated[i] == 1:
            targets.append(reward[i])
        else:
            targets.append(reward[i] + discount[i] * max(next_q[i]))
        return np.array(targets)


def td_skips_the_ended(reward, discount, terminated, next_q):
    targets = []
    for r, d, t, q in zip(reward, discount, terminated, next_q):
        if t:
            continue
        targets.append(r + d * q.max())
    return np.array(targets)


def td_discounts_the_reward(reward, discount, terminated, next_q):
    return discount * (reward + (1 - terminated) * next_q.max(axis=1))


def td_changes_reward(reward, discount, terminated, next_q):
    for i in range(len(reward)):
        if not terminated[i]:
            reward[i] += discount[i] * np.max(next_q[i])
    return reward


def td_changes_next_q(reward, discount, terminated, next_q):
    next_q[terminated == 1] = 0
    return reward + discount * next_q.max(axis=1)


def td_tilde_on_floats(reward, discount, terminated, next_q):
    return reward + discount * ~terminated * next_q.max(axis=1)


def td_clips_at_zero(reward, discount, terminated, next_q):
    targets = []
    for i in range(next_q.shape[0]):
        best = 0
        for q in next_q[i]:
            if q > best:
                best = q
        targets.append(reward[i] + discount[i] * best * (1 - terminated[i]))
    return targets


def td_only_two_actions(reward, discount, terminated, next_q):
    best = np.maximum(next_q[:, 0], next_q[:, 1])
    return reward + discount * (1 - terminated) * best


def td_precedence(reward, discount, terminated, next_q):
    return reward + discount * 1 - terminated * next_q.max(axis=1)


def td_axis_2(reward, discount, terminated, next_q):
    # R: apply(next_q, 1, max), so dimension 2 goes away
    return reward + discount * (1 - terminated) * next_q.max(axis=2)


def td_sums_to_one_number(reward, discount, terminated, next_q):
    y = 0
    for i in range(len(reward)):
        y += reward[i] + discount[i] * (1 - terminated[i]) * next_q[i].max()
    return y / len(reward)


def right_td_vectorised(reward, discount, terminated, next_q):
    return reward + (1.0 - terminated) * discount * np.amax(next_q, axis=-1)


def right_td_loop(reward, discount, terminated, next_q):
    y = np.zeros(len(reward))
    for i in range(len(reward)):
        if terminated[i] == 1:
            y[i] = reward[i]
        else:
            y[i] = reward[i] + discount[i] * max(next_q[i])
    return y


def right_td_list(reward, discount, terminated, next_q):
    rows = zip(reward, discount, terminated, next_q)
    return [float(r) if t else float(r + d * max(q)) for r, d, t, q in rows]


def right_td_where(reward, discount, terminated, next_q):
    bootstrap = discount * next_q.max(axis=1)
    return np.where(terminated.astype(bool), reward, reward + bootstrap)


def right_td_mask(reward, discount, terminated, next_q):
    target = reward.copy()
    alive = terminated == 0
    target[alive] += discount[alive] * next_q[alive].max(axis=1)
    return target


def right_td_take_argmax(reward, discount, terminated, next_q):
    a = next_q.argmax(axis=1)
    value = np.take_along_axis(next_q, a[:, None], axis=1)[:, 0]
    return reward + discount * value - terminated * discount * value


def right_td_sorted(reward, discount, terminated, next_q):
    best = np.sort(next_q, axis=1)[:, -1]
    not_done = np.logical_not(terminated)
    return tuple(reward + discount * not_done * best)


def right_td_two_loops(reward, discount, terminated, next_q):
    B, A = next_q.shape
    out = []
    for b in range(B):
        best = next_q[b, 0]
        for a in range(1, A):
            if next_q[b, a] > best:
                best = next_q[b, a]
        out.append(reward[b] + discount[b] * best * (1 - terminated[b]))
    return np.array(out)


def right_td_frame(reward, discount, terminated, next_q):
    df = pd.DataFrame({"r": reward, "g": discount, "t": terminated, "q": pd.DataFrame(next_q).max(axis=1)})
    df.loc[df.t == 1, "q"] = 0
    return df.r + df.g * df.q


# ------------------------------------------------------------------------------------ 01.double_td_target


def double_plain_dqn(reward, discount, terminated, next_q_online, next_q_target):
    return reward + discount * (1 - terminated) * next_q_target.max(axis=1)


def double_online_only(reward, discount, terminated, next_q_online, next_q_target):
    return reward + discount * (1 - terminated) * next_q_online.max(axis=1)


def double_swapped(reward, discount, terminated, next_q_online, next_q_target):
    actions = next_q_target.argmax(axis=1)
    values = next_q_online[np.arange(len(actions)), actions]
    return reward + discount * (1 - terminated) * values


def double_whole_columns(reward, discount, terminated, next_q_online, next_q_target):
    a = np.argmax(next_q_online, axis=1)
    return reward + discount * (1 - terminated) * next_q_target[:, a]


def double_index_rows(reward, discount, terminated, next_q_online, next_q_target):
    a = np.argmax(next_q_online, axis=1)
    return reward + discount * (1 - terminated) * next_q_target[a]


def double_no_end(reward, discount, terminated, next_q_online, next_q_target):
    a = np.argmax(next_q_online, axis=1)
    rows = np.arange(next_q_online.shape[0])
    return reward + discount * next_q_target[rows, a]


def double_argmax_axis_0(reward, discount, terminated, next_q_online, next_q_target):
    best = next_q_online.argmax(axis=0)
    return reward + discount * (1 - terminated) * next_q_target[np.arange(len(best)), best]


def double_argmax_of_all(reward, discount, terminated, next_q_online, next_q_target):
    a = np.argmax(next_q_online)
    return reward + discount * (1 - terminated) * next_q_target[:, a]


def double_column(reward, discount, terminated, next_q_online, next_q_target):
    a = next_q_online.argmax(axis=1)[:, np.newaxis]
    q = np.take_along_axis(next_q_target, a, axis=1)
    return reward[:, np.newaxis] + discount[:, np.newaxis] * (1 - terminated[:, np.newaxis]) * q


def double_column_times_row(reward, discount, terminated, next_q_online, next_q_target):
    a = next_q_online.argmax(axis=1, keepdims=True)
    q = np.take_along_axis(next_q_target, a, axis=1)
    return reward + discount * (1 - terminated) * q


def double_action_for_value(reward, discount, terminated, next_q_online, next_q_target):
    best_action = next_q_online.argmax(axis=1)
    return reward + discount * (1 - terminated) * best_action


def double_smaller_of_both(reward, discount, terminated, next_q_online, next_q_target):
    # as in TD3
    q = np.minimum(next_q_online.max(axis=1), next_q_target.max(axis=1))
    return reward + discount * (1 - terminated) * q


def double_mean_of_both(reward, discount, terminated, next_q_online, next_q_target):
    a = next_q_online.argmax(axis=1)
    i = np.arange(len(a))
    q = 0.5 * (next_q_online[i, a] + next_q_target[i, a])
    return reward + discount * (1 - terminated) * q


def double_discount_forgotten(reward, discount, terminated, next_q_online, next_q_target):
    targets = []
    for i in range(len(reward)):
        a = np.argmax(next_q_online[i])
        targets.append(reward[i] + (1 - terminated[i]) * next_q_target[i][a])
    return np.array(targets)


def double_last_row_only(reward, discount, terminated, next_q_online, next_q_target):
    for i in range(len(reward)):
        a = next_q_online[i].argmax()
        if terminated[i]:
            target = reward[i]
        else:
            target = reward[i] + discount[i] * next_q_target[i, a]
    return target


def double_one_based(reward, discount, terminated, next_q_online, next_q_target):
    targets = []
    for i in range(1, len(reward)):
        a = next_q_online[i].argmax()
        targets.append(reward[i] + discount[i] * (1 - terminated[i]) * next_q_target[i, a])
    return np.array(targets)


def double_float_index(reward, discount, terminated, next_q_online, next_q_target):
    best = np.zeros(len(reward))
    for i in range(len(reward)):
        best[i] = np.argmax(next_q_online[i])
    return reward + discount * (1 - terminated) * next_q_target[np.arange(len(reward)), best]


def double_terminated_flipped(reward, discount, terminated, next_q_online, next_q_target):
    best = next_q_online.argmax(axis=1)
    q = next_q_target[range(len(best)), best]
    return np.where(terminated == 0, reward, reward + discount * q)


def double_writes_in_target(reward, discount, terminated, next_q_online, next_q_target):
    best = next_q_online.argmax(axis=1)
    next_q_target[terminated == 1, :] = 0.0
    return reward + discount * next_q_target[np.arange(len(best)), best]


def double_argmax_of_values(reward, discount, terminated, next_q_online, next_q_target):
    best = next_q_online.max(axis=1)
    return reward + discount * (1 - terminated) * next_q_target[np.arange(len(best)), best]


def right_double_fancy_index(reward, discount, terminated, next_q_online, next_q_target):
    a = np.argmax(next_q_online, axis=1)
    q = next_q_target[np.arange(next_q_target.shape[0]), a]
    return reward + discount * q * (1 - terminated)


def right_double_take_along(reward, discount, terminated, next_q_online, next_q_target):
    a = next_q_online.argmax(axis=1, keepdims=True)
    q = np.take_along_axis(next_q_target, a, axis=1).squeeze(1)
    return np.where(terminated == 1, reward, reward + discount * q)


def right_double_loop(reward, discount, terminated, next_q_online, next_q_target):
    result = []
    for i in range(len(reward)):
        y = reward[i]
        if not terminated[i]:
            best_action = np.argmax(next_q_online[i])
            y = y + discount[i] * next_q_target[i][best_action]
        result.append(y)
    return result


def right_double_one_hot(reward, discount, terminated, next_q_online, next_q_target):
    n_actions = next_q_online.shape[1]
    one_hot = np.eye(n_actions)[next_q_online.argmax(axis=1)]
    q = (one_hot * next_q_target).sum(axis=1)
    return reward + discount * (1 - terminated) * q


def right_double_einsum(reward, discount, terminated, next_q_online, next_q_target):
    picked = next_q_online == next_q_online.max(axis=1, keepdims=True)
    return reward + discount * (1 - terminated) * np.einsum("ba,ba->b", picked, next_q_target)


def right_double_zip(reward, discount, terminated, next_q_online, next_q_target):
    rows = zip(reward, discount, terminated, next_q_online, next_q_target)
    return tuple(float(r + d * (1 - t) * target[online.argmax()]) for r, d, t, online, target in rows)


def right_double_max_of_pairs(reward, discount, terminated, next_q_online, next_q_target):
    def value(online, target):
        return max(zip(online.tolist(), target.tolist()))[1]

    q = np.array([value(o, t) for o, t in zip(next_q_online, next_q_target)])
    return reward + (1 - terminated) * discount * q


def right_double_diagonal(reward, discount, terminated, next_q_online, next_q_target):
    best = next_q_online.argmax(1)
    q = np.diag(next_q_target[:, best])
    return reward + discount * (1 - terminated) * q


# ----------------------------------------------------------------------------------------- 01.epsilon_at


def epsilon_never_flat(step, start, end, decay_steps):
    return start + (end - start) * step / decay_steps


def epsilon_wrong_sign(step, start, end, decay_steps):
    fraction = min(step / decay_steps, 1)
    return start + fraction * (start - end)


def epsilon_down_to_zero(step, start, end, decay_steps):
    if step >= decay_steps:
        return end
    return start * (1 - step / decay_steps)


def epsilon_max_for_min(step, start, end, decay_steps):
    t = max(step / decay_steps, 1.0)
    return start + t * (end - start)


def epsilon_floor_at_end_only(step, start, end, decay_steps):
    eps = start - step / decay_steps
    return max(end, eps)


def epsilon_exponential(step, start, end, decay_steps):
    return end + (start - end) * math.exp(-step / decay_steps)


def epsilon_geometric(step, start, end, decay_steps):
    if step > decay_steps:
        return end
    return start * (end / start) ** (step / decay_steps)


def epsilon_integer_division(step, start, end, decay_steps):
    frac = min(1, step // decay_steps)
    return start + frac * (end - start)


def epsilon_adds_start_twice(step, start, end, decay_steps):
    if step >= decay_steps:
        return end
    slope = (start - end) / decay_steps
    return start - slope * (step + 1)


def epsilon_fixed_numbers(step, start, end, decay_steps):
    if step >= 100:
        return 0.1
    return 1.0 - 0.9 * step / 100


def epsilon_no_line(step, start, end, decay_steps):
    if step < decay_steps:
        return start
    else:
        return end


def epsilon_none_after_the_line(step, start, end, decay_steps):
    if step < decay_steps:
        return start + (end - start) * step / decay_steps
    if step == decay_steps:
        return end


def epsilon_line_swapped(step, start, end, decay_steps):
    t = min(step / decay_steps, 1)
    return (1 - t) * end + t * start


def epsilon_linspace_too_short(step, start, end, decay_steps):
    values = np.linspace(start, end, decay_steps)
    return values[step]


def epsilon_linspace_one_short(step, start, end, decay_steps):
    values = np.linspace(start, end, decay_steps)
    if step >= decay_steps:
        return end
    return values[step]


def epsilon_clipped_to_unit(step, start, end, decay_steps):
    eps = start + (end - start) * (step / decay_steps)
    return np.clip(eps, 0, 1)


def epsilon_clip_wrong_order(step, start, end, decay_steps):
    eps = start + (end - start) * step / decay_steps
    return np.clip(eps, start, end)


def epsilon_start_minus_one(step, start, end, decay_steps):
    return max(end, 1 - (1 - end) * step / decay_steps)


def epsilon_as_array(step, start, end, decay_steps):
    return np.array([max(end, start - (start - end) * step / decay_steps)])


def epsilon_nested_ifs_zero_missing(step, start, end, decay_steps):
    if step == 0:
        eps = start
    elif step >= decay_steps:
        eps = end
    else:
        eps = start - end * step / decay_steps
    return eps


def right_epsilon_min(step, start, end, decay_steps):
    t = min(step / decay_steps, 1.0)
    return (1 - t) * start + t * end


def right_epsilon_ifs(step, start, end, decay_steps):
    if step <= 0:
        return start
    elif step >= decay_steps:
        return end
    else:
        slope = (end - start) / decay_steps
        return start + slope * step


def right_epsilon_interp(step, start, end, decay_steps):
    return np.interp(step, [0, decay_steps], [start, end])


def right_epsilon_clip(step, start, end, decay_steps):
    return np.clip(start + (end - start) * step / decay_steps, min(start, end), max(start, end))


def right_epsilon_linspace(step, start, end, decay_steps):
    schedule = np.linspace(start, end, decay_steps + 1)
    return schedule[min(step, decay_steps)]


def right_epsilon_loop(step, start, end, decay_steps):
    epsilon = start
    for _ in range(min(step, decay_steps)):
        epsilon -= (start - end) / decay_steps
    return epsilon


def right_epsilon_zero_d(step, start, end, decay_steps):
    return np.where(step < decay_steps, start + (end - start) * step / decay_steps, end)


# -------------------------------------------------------------------------------------- 01.n_step_return


def n_step_no_stop(rewards, gamma, terminated, bootstrap_value):
    n = len(rewards)
    return np.sum(gamma ** np.arange(n) * rewards) + gamma**n * bootstrap_value


def n_step_bootstraps_always(rewards, gamma, terminated, bootstrap_value):
    total = 0
    for k in range(len(rewards)):
        total += gamma**k * rewards[k]
        if terminated[k]:
            break
    return total + gamma ** len(rewards) * bootstrap_value


def n_step_never_bootstraps(rewards, gamma, terminated, bootstrap_value):
    total = 0.0
    for k, (r, done) in enumerate(zip(rewards, terminated)):
        total += gamma**k * r
        if done:
            return total
    return total


def n_step_loses_last_reward(rewards, gamma, terminated, bootstrap_value):
    total = 0
    for k in range(len(rewards)):
        if terminated[k]:
            return total
        total += gamma**k * rewards[k]
    return total + gamma ** len(rewards) * bootstrap_value


def n_step_discount_one_late(rewards, gamma, terminated, bootstrap_value):
    g = 0
    for k in range(len(rewards)):
        g += gamma ** (k + 1) * rewards[k]
        if terminated[k]:
            return g
    return g + gamma ** (len(rewards) + 1) * bootstrap_value


def n_step_bootstrap_power(rewards, gamma, terminated, bootstrap_value):
    g = 0
    for k in range(len(rewards)):
        g += gamma**k * rewards[k]
        if terminated[k]:
            return g
    return g + gamma**k * bootstrap_value


def n_step_bootstrap_undiscounted(rewards, gamma, terminated, bootstrap_value):
    discounts = gamma ** np.arange(len(rewards))
    if terminated.any():
        stop = np.argmax(terminated) + 1
        return (discounts[:stop] * rewards[:stop]).sum()
    return (discounts * rewards).sum() + bootstrap_value


def n_step_no_discount(rewards, gamma, terminated, bootstrap_value):
    if terminated.any():
        stop = terminated.argmax()
        return rewards[:stop + 1].sum()
    return rewards.sum() + gamma ** len(rewards) * bootstrap_value


def n_step_only_last_flag(rewards, gamma, terminated, bootstrap_value):
    n = len(rewards)
    g = sum(gamma**k * rewards[k] for k in range(n))
    if not terminated[-1]:
        g += gamma**n * bootstrap_value
    return g


def n_step_slice_one_short(rewards, gamma, terminated, bootstrap_value):
    n = len(rewards)
    if terminated.any():
        first = np.where(terminated)[0][0]
        return np.sum(rewards[:first] * gamma ** np.arange(first))
    return np.sum(rewards * gamma ** np.arange(n)) + gamma**n * bootstrap_value


def n_step_argmax_without_any(rewards, gamma, terminated, bootstrap_value):
    first = np.argmax(terminated)
    powers = gamma ** np.arange(first + 1)
    total = (powers * rewards[: first + 1]).sum()
    if not terminated.any():
        total += gamma ** len(rewards) * bootstrap_value
    return total


def n_step_where_fails(rewards, gamma, terminated, bootstrap_value):
    end = np.where(terminated)[0][0] + 1
    g = sum(gamma**k * rewards[k] for k in range(end))
    if end == 0:
        g += gamma ** len(rewards) * bootstrap_value
    return g


def n_step_returns_in_the_loop(rewards, gamma, terminated, bootstrap_value):
    total = 0
    for k in range(len(rewards)):
        total = total + gamma**k * rewards[k]
        if terminated[k]:
            return total
        else:
            return total + gamma ** len(rewards) * bootstrap_value


def n_step_gamma_times_k(rewards, gamma, terminated, bootstrap_value):
    total = 0
    for k, r in enumerate(rewards):
        total += gamma * k * r
        if terminated[k]:
            return total
    return total + gamma * len(rewards) * bootstrap_value


def n_step_caret(rewards, gamma, terminated, bootstrap_value):
    total = 0
    n = len(rewards)
    for k in range(n):
        total += gamma ^ k * rewards[k]
        if terminated[k]:
            return total
    return total + gamma ^ n * bootstrap_value


def n_step_skips_ended_rewards(rewards, gamma, terminated, bootstrap_value):
    n = len(rewards)
    total = 0.0
    for k in range(n):
        if not terminated[k]:
            total += gamma**k * rewards[k]
    if not any(terminated):
        total += gamma**n * bootstrap_value
    return total


def n_step_backwards_without_reset(rewards, gamma, terminated, bootstrap_value):
    g = bootstrap_value
    for r in rewards[::-1]:
        g = r + gamma * g
    if terminated.any():
        g -= gamma ** len(rewards) * bootstrap_value
    return g


def n_step_backwards_drops_reward(rewards, gamma, terminated, bootstrap_value):
    g = bootstrap_value
    for r, done in zip(reversed(rewards), reversed(terminated)):
        g = (r + gamma * g) * (1 - done)
    return g


def n_step_discount_per_list(rewards, gamma, terminated, bootstrap_value):
    returns = []
    for k in range(len(rewards)):
        returns.append(gamma**k * rewards[k])
        if terminated[k]:
            return returns
    returns.append(gamma ** len(rewards) * bootstrap_value)
    return returns


def n_step_off_the_end(rewards, gamma, terminated, bootstrap_value):
    total = 0
    k = 0
    while not terminated[k]:
        total += gamma**k * rewards[k]
        k += 1
    total += gamma**k * rewards[k]
    return total


def right_n_step_loop(rewards, gamma, terminated, bootstrap_value):
    total = 0
    for k in range(len(rewards)):
        total += gamma**k * rewards[k]
        if terminated[k]:
            return total
    return total + gamma ** len(rewards) * bootstrap_value


def right_n_step_backwards(rewards, gamma, terminated, bootstrap_value):
    g = bootstrap_value
    for reward, done in zip(rewards[::-1], terminated[::-1]):
        g = reward + gamma * g * (1 - done)
    return g


def right_n_step_slice(rewards, gamma, terminated, bootstrap_value):
    n = len(rewards)
    powers = gamma ** np.arange(n)
    if terminated.any():
        stop = int(np.argmax(terminated)) + 1
        return float(np.dot(powers[:stop], rewards[:stop]))
    return float(powers @ rewards + gamma**n * bootstrap_value)


def right_n_step_for_else(rewards, gamma, terminated, bootstrap_value):
    value, factor = 0.0, 1.0
    for r, t in zip(rewards.tolist(), terminated.tolist()):
        value += factor * r
        factor *= gamma
        if t:
            break
    else:
        value += factor * bootstrap_value
    return value


def right_n_step_recursion(rewards, gamma, terminated, bootstrap_value):
    if len(rewards) == 0:
        return bootstrap_value
    if terminated[0]:
        return rewards[0]
    return rewards[0] + gamma * right_n_step_recursion(rewards[1:], gamma, terminated[1:], bootstrap_value)


def right_n_step_cumprod(rewards, gamma, terminated, bootstrap_value):
    alive = np.cumprod(np.concatenate([[1.0], 1.0 - terminated]))  # 1 as long as nothing has ended
    values = np.append(rewards, bootstrap_value)
    return np.sum(alive * gamma ** np.arange(len(values)) * values)


def right_n_step_list_index(rewards, gamma, terminated, bootstrap_value):
    flags = list(terminated)
    values = list(rewards)
    if True in flags:
        values = values[: flags.index(True) + 1]
    else:
        values.append(bootstrap_value)
    return sum(gamma**k * v for k, v in enumerate(values))


# ---------------------------------------------------------------------------------------- 01.soft_update


def soft_tau_the_wrong_way(target_weights, weights, tau):
    return [tau * t + (1 - tau) * w for t, w in zip(target_weights, weights)]


def soft_in_place(target_weights, weights, tau):
    for i in range(len(weights)):
        target_weights[i] *= 1 - tau
        target_weights[i] += tau * weights[i]
    return target_weights


def soft_replaces_list_items(target_weights, weights, tau):
    for i in range(len(target_weights)):
        target_weights[i] = (1 - tau) * target_weights[i] + tau * weights[i]
    return target_weights


def soft_minus(target_weights, weights, tau):
    new = []
    for t, w in zip(target_weights, weights):
        new.append(t - tau * (w - t))
    return new


def soft_forgets_to_shrink(target_weights, weights, tau):
    return [t + tau * w for t, w in zip(target_weights, weights)]


def soft_hard_copy(target_weights, weights, tau):
    return [w.copy() for w in weights]


def soft_first_layer_only(target_weights, weights, tau):
    new_weights = []
    for t, w in zip(target_weights, weights):
        new_weights.append((1 - tau) * t + tau * w)
        return new_weights


def soft_last_layer_only(target_weights, weights, tau):
    for t, w in zip(target_weights, weights):
        new = (1 - tau) * t + tau * w
    return [new]


def soft_list_arithmetic(target_weights, weights, tau):
    return (1 - tau) * target_weights + tau * weights


def soft_list_joined(target_weights, weights, tau):
    moved = [tau * w for w in weights]
    old = [(1 - tau) * t for t in target_weights]
    return old + moved


def soft_fixed_tau(target_weights, weights, tau):
    tau = 0.005
    return [(1 - tau) * t + tau * w for t, w in zip(target_weights, weights)]


def soft_half_way(target_weights, weights, tau):
    return [(t + w) / 2 for t, w in zip(target_weights, weights)]


def soft_no_return(target_weights, weights, tau):
    new_target = []
    for i in range(len(weights)):
        new_target.append(tau * weights[i] + (1 - tau) * target_weights[i])


def soft_flattened(target_weights, weights, tau):
    old = np.concatenate([t.ravel() for t in target_weights])
    new = np.concatenate([w.ravel() for w in weights])
    return (1 - tau) * old + tau * new


def soft_one_array(target_weights, weights, tau):
    return (1 - tau) * np.array(target_weights) + tau * np.array(weights)


def soft_list_nested(target_weights, weights, tau):
    result = []
    for t, w in zip(target_weights, weights):
        layer = [(1 - tau) * t + tau * w]
        result.append(layer)
    return result


def soft_only_the_step(target_weights, weights, tau):
    return [tau * (w - t) for t, w in zip(target_weights, weights)]


def soft_bias_skipped(target_weights, weights, tau):
    new = [t.copy() for t in target_weights]
    for i in range(len(new) - 1):
        new[i] = new[i] + tau * (weights[i] - new[i])
    return new


def soft_precedence(target_weights, weights, tau):
    return [1 - tau * t + tau * w for t, w in zip(target_weights, weights)]


def soft_shallow_copy(target_weights, weights, tau):
    new = list(target_weights)
    for t, w in zip(new, weights):
        t += tau * (w - t)
    return new


def right_soft_comprehension(target_weights, weights, tau):
    return [t + tau * (w - t) for t, w in zip(target_weights, weights)]


def right_soft_loop(target_weights, weights, tau):
    new_weights = []
    for i in range(len(weights)):
        w = tau * weights[i] + (1 - tau) * target_weights[i]
        new_weights.append(w)
    return new_weights


def right_soft_tuple(target_weights, weights, tau):
    return tuple(tau * w + (1 - tau) * t for w, t in zip(weights, target_weights))


def right_soft_copies(target_weights, weights, tau):
    new = [np.array(t, dtype=float) for t in target_weights]
    for n, w in zip(new, weights):
        n *= 1 - tau
        n += tau * w
    return new


def right_soft_nested_lists(target_weights, weights, tau):
    return [((1 - tau) * t + tau * w).tolist() for t, w in zip(target_weights, weights)]


def right_soft_average(target_weights, weights, tau):
    return [np.average([t, w], axis=0, weights=[1 - tau, tau]) for t, w in zip(target_weights, weights)]


def right_soft_map(target_weights, weights, tau):
    return list(map(lambda t, w: (1.0 - tau) * t + tau * w, target_weights, weights))


def right_soft_deeper_helper(target_weights, weights, tau):
    def blend(a, b):
        if isinstance(a, list):
            return [blend(x, y) for x, y in zip(a, b)]
        return (1 - tau) * np.array(a) + tau * np.array(b)

    return blend(target_weights, weights)


# -------------------------------------------------------------------------------------- 01.replay_sample


def replay_all_rows(rng, storage, size, batch_size):
    n = len(storage["reward"])
    idx = rng.integers(0, n, size=batch_size)
    return {k: v[idx] for k, v in storage.items()}


def replay_rows_per_field(rng, storage, size, batch_size):
    return {k: v[rng.integers(0, size, batch_size)] for k, v in storage.items()}


def replay_without_replacement(rng, storage, size, batch_size):
    idx = rng.choice(size, batch_size, replace=False)
    batch = {}
    for key in storage:
        batch[key] = storage[key][idx]
    return batch


def replay_global_numpy(rng, storage, size, batch_size):
    idx = np.random.randint(0, size, batch_size)
    return {k: v[idx] for k, v in storage.items()}


def replay_new_generator(rng, storage, size, batch_size):
    rng = np.random.default_rng(42)
    idx = rng.integers(size, size=batch_size)
    return {k: v[idx] for k, v in storage.items()}


def replay_never_the_last(rng, storage, size, batch_size):
    idx = rng.integers(0, size - 1, batch_size)
    return {k: v[idx] for k, v in storage.items()}


def replay_one_too_far(rng, storage, size, batch_size):
    idx = rng.integers(0, size, batch_size, endpoint=True)
    return {k: v[idx] for k, v in storage.items()}


def replay_never_the_first(rng, storage, size, batch_size):
    rows = rng.integers(1, size, batch_size)
    return {k: v[rows] for k, v in storage.items()}


def replay_first_rows(rng, storage, size, batch_size):
    return {k: v[:batch_size] for k, v in storage.items()}


def replay_newest_rows(rng, storage, size, batch_size):
    return {k: v[size - batch_size:size] for k, v in storage.items()}


def replay_one_row(rng, storage, size, batch_size):
    i = rng.integers(0, size)
    return {k: v[i] for k, v in storage.items()}


def replay_same_row_repeated(rng, storage, size, batch_size):
    i = rng.integers(0, size)
    return {k: np.repeat(v[i:i + 1], batch_size, axis=0) for k, v in storage.items()}


def replay_list_of_arrays(rng, storage, size, batch_size):
    idx = rng.integers(0, size, batch_size)
    return [v[idx] for v in storage.values()]


def replay_list_of_dicts(rng, storage, size, batch_size):
    batch = []
    for _ in range(batch_size):
        i = rng.integers(size)
        batch.append({k: v[i] for k, v in storage.items()})
    return batch


def replay_only_one_field(rng, storage, size, batch_size):
    idx = rng.integers(0, size, batch_size)
    for key, value in storage.items():
        batch = {key: value[idx]}
    return batch


def replay_returns_too_early(rng, storage, size, batch_size):
    idx = rng.integers(0, size, batch_size)
    batch = {}
    for key, value in storage.items():
        batch[key] = value[idx]
        return batch


def replay_shuffles_storage(rng, storage, size, batch_size):
    for v in storage.values():
        rng.shuffle(v[:size])
    return {k: v[:batch_size] for k, v in storage.items()}


def replay_permutation(rng, storage, size, batch_size):
    idx = rng.permutation(size)[:batch_size]
    return {k: v[idx] for k, v in storage.items()}


def replay_old_randint(rng, storage, size, batch_size):
    idx = rng.randint(0, size, batch_size)
    return {k: v[idx] for k, v in storage.items()}


def replay_size_and_batch_swapped(rng, storage, size, batch_size):
    idx = rng.integers(0, batch_size, size)
    return {k: v[idx] for k, v in storage.items()}


def replay_indexes_dict(rng, storage, size, batch_size):
    idx = rng.integers(0, size, batch_size)
    return storage[idx]


def replay_rounded_gauss(rng, storage, size, batch_size):
    idx = np.round(rng.random(batch_size) * (size - 1)).astype(int)
    return {k: v[idx] for k, v in storage.items()}


def replay_columns_of_obs(rng, storage, size, batch_size):
    idx = rng.integers(0, size, batch_size)
    return {k: v[..., idx] for k, v in storage.items()}


def replay_python_random(rng, storage, size, batch_size):
    idx = random.choices(range(size), k=batch_size)
    return {k: v[idx] for k, v in storage.items()}


def replay_overwrites_storage(rng, storage, size, batch_size):
    idx = rng.integers(0, size, batch_size)
    for k in storage:
        storage[k] = storage[k][idx]
    return storage


def right_replay_integers(rng, storage, size, batch_size):
    idx = rng.integers(size, size=batch_size)
    return {k: v[idx] for k, v in storage.items()}


def right_replay_choice(rng, storage, size, batch_size):
    idx = rng.choice(size, size=batch_size)
    batch = {}
    for name in storage:
        batch[name] = storage[name][idx]
    return batch


def right_replay_loop(rng, storage, size, batch_size):
    batch = {name: [] for name in storage}
    for _ in range(batch_size):
        i = int(rng.integers(0, size))
        for name in storage:
            batch[name].append(storage[name][i])
    return {name: np.array(rows) for name, rows in batch.items()}


def right_replay_uniform(rng, storage, size, batch_size):
    idx = np.floor(rng.random(batch_size) * size).astype(int)
    return {k: np.take(v, idx, axis=0) for k, v in storage.items()}


def right_replay_endpoint(rng, storage, size, batch_size):
    rows = rng.integers(0, size - 1, batch_size, endpoint=True)
    return dict((k, v[rows]) for k, v in storage.items())


def right_replay_sliced_first(rng, storage, size, batch_size):
    filled = {k: v[:size] for k, v in storage.items()}
    n = len(filled["obs"])
    idx = rng.integers(0, n, batch_size).tolist()
    return {k: v[idx] for k, v in filled.items()}


def right_replay_lists(rng, storage, size, batch_size):
    rows = [rng.integers(size) for _ in range(batch_size)]
    return {k: np.stack([v[i] for i in rows]) for k, v in storage.items()}


def right_replay_nested_lists(rng, storage, size, batch_size):
    idx = rng.integers(0, size, batch_size)
    return {"obs": storage["obs"][idx, :].tolist(), "action": storage["action"][idx].tolist(),
            "reward": storage["reward"][idx].tolist()}


def right_replay_frame(rng, storage, size, batch_size):
    filled = pd.DataFrame({k: list(v[:size]) for k, v in storage.items()})
    sample = filled.sample(n=batch_size, replace=True, random_state=rng)
    return {k: np.array(sample[k].tolist()) for k in storage}


# For each exercise: what is wrong, in a few plain words, and the answer.
WRONG = {
    "01.td_target": {
        "the value of a next state after the end of an episode": td_no_end,
        "the maximum of the whole batch": td_max_of_whole_batch,
        "the maximum over rows, not actions": td_max_over_rows,
        "the mean over actions": td_mean_over_actions,
        "the number of the best action, not its value": td_argmax_for_max,
        "terminated the wrong way round": td_flag_the_wrong_way,
        "no reward at the end either": td_drops_the_reward_too,
        "a gamma of its own": td_fixed_gamma,
        "no discount": td_forgets_discount,
        "a column (B, 1)": td_column,
        "a column plus a row": td_keepdims_broadcast,
        "if on an array": td_if_on_array,
        "return inside the loop": td_returns_in_loop,
        "leaves out rows that ended": td_skips_the_ended,
        "discounts the reward too": td_discounts_the_reward,
        "changes reward in place": td_changes_reward,
        "changes next_q in place": td_changes_next_q,
        "~ on floats": td_tilde_on_floats,
        "the search for the maximum starts at 0": td_clips_at_zero,
        "only two actions": td_only_two_actions,
        "brackets forgotten": td_precedence,
        "axis 2 of a matrix": td_axis_2,
        "one number for the batch": td_sums_to_one_number,
    },
    "01.double_td_target": {
        "plain DQN with the target network": double_plain_dqn,
        "only the online network": double_online_only,
        "networks swapped": double_swapped,
        "all columns for each row": double_whole_columns,
        "actions as row numbers": double_index_rows,
        "the end ignored": double_no_end,
        "argmax over rows": double_argmax_axis_0,
        "one action for the whole batch": double_argmax_of_all,
        "a column (B, 1)": double_column,
        "a column times a row": double_column_times_row,
        "the action for its value": double_action_for_value,
        "the smaller of two maxima": double_smaller_of_both,
        "the mean of both networks": double_mean_of_both,
        "no discount, in a loop": double_discount_forgotten,
        "only the last row": double_last_row_only,
        "counts from 1": double_one_based,
        "floats as indices": double_float_index,
        "terminated the wrong way round": double_terminated_flipped,
        "changes next_q_target in place": double_writes_in_target,
        "max where argmax is meant": double_argmax_of_values,
    },
    "01.epsilon_at": {
        "falls for ever": epsilon_never_flat,
        "the wrong sign": epsilon_wrong_sign,
        "a line to zero": epsilon_down_to_zero,
        "max for min": epsilon_max_for_min,
        "the slope of start = 1, end = 0": epsilon_floor_at_end_only,
        "exponential decay": epsilon_exponential,
        "geometric decay": epsilon_geometric,
        "integer division": epsilon_integer_division,
        "one step ahead": epsilon_adds_start_twice,
        "the numbers of the first case": epsilon_fixed_numbers,
        "a jump instead of a line": epsilon_no_line,
        "None after the line": epsilon_none_after_the_line,
        "start and end swapped": epsilon_line_swapped,
        "a table that is too short": epsilon_linspace_too_short,
        "a table with one point too few": epsilon_linspace_one_short,
        "clipped to [0, 1]": epsilon_clipped_to_unit,
        "clip with its bounds swapped": epsilon_clip_wrong_order,
        "start is taken as 1": epsilon_start_minus_one,
        "an array of one number": epsilon_as_array,
        "the slope forgets start": epsilon_nested_ifs_zero_missing,
    },
    "01.n_step_return": {
        "goes on after the end": n_step_no_stop,
        "bootstraps after the end": n_step_bootstraps_always,
        "never bootstraps": n_step_never_bootstraps,
        "the last reward is lost": n_step_loses_last_reward,
        "one discount too many": n_step_discount_one_late,
        "gamma ** (n - 1) for the bootstrap": n_step_bootstrap_power,
        "the bootstrap undiscounted": n_step_bootstrap_undiscounted,
        "rewards undiscounted": n_step_no_discount,
        "looks at the last flag only": n_step_only_last_flag,
        "a slice that is one short": n_step_slice_one_short,
        "argmax where nothing ended": n_step_argmax_without_any,
        "IndexError where nothing ended": n_step_where_fails,
        "returns in the first round": n_step_returns_in_the_loop,
        "gamma * k": n_step_gamma_times_k,
        "^ for a power": n_step_caret,
        "only the rewards of unfinished steps": n_step_skips_ended_rewards,
        "from the back, without a stop": n_step_backwards_without_reset,
        "from the back, the last reward is lost": n_step_backwards_drops_reward,
        "a list of terms": n_step_discount_per_list,
        "runs over the end": n_step_off_the_end,
    },
    "01.soft_update": {
        "tau the wrong way round": soft_tau_the_wrong_way,
        "changes arrays in place": soft_in_place,
        "changes the list in place": soft_replaces_list_items,
        "away from the online network": soft_minus,
        "old weights not shrunk": soft_forgets_to_shrink,
        "a plain copy": soft_hard_copy,
        "return in the loop": soft_first_layer_only,
        "the last array only": soft_last_layer_only,
        "number times list": soft_list_arithmetic,
        "lists joined, not added": soft_list_joined,
        "a tau of its own": soft_fixed_tau,
        "always half way": soft_half_way,
        "no return": soft_no_return,
        "one flat array": soft_flattened,
        "arrays of different shapes in one": soft_one_array,
        "each array in a list of its own": soft_list_nested,
        "only the step": soft_only_the_step,
        "the last array left out": soft_bias_skipped,
        "brackets forgotten": soft_precedence,
        "a copy of the list, not of its arrays": soft_shallow_copy,
    },
    "01.replay_sample": {
        "rows that are not filled": replay_all_rows,
        "other rows for each field": replay_rows_per_field,
        "without replacement": replay_without_replacement,
        "NumPy's global generator": replay_global_numpy,
        "a generator of its own": replay_new_generator,
        "never the last row": replay_never_the_last,
        "one row too far": replay_one_too_far,
        "never the first row": replay_never_the_first,
        "the first rows": replay_first_rows,
        "the newest rows": replay_newest_rows,
        "a single row": replay_one_row,
        "one row again and again": replay_same_row_repeated,
        "a list, not a dict": replay_list_of_arrays,
        "a list of dicts": replay_list_of_dicts,
        "only the last field": replay_only_one_field,
        "return in the loop": replay_returns_too_early,
        "shuffles the storage": replay_shuffles_storage,
        "a permutation": replay_permutation,
        "a method of the old generator": replay_old_randint,
        "size and batch_size swapped": replay_size_and_batch_swapped,
        "indexes the dict with rows": replay_indexes_dict,
        "rounds, so that the outer rows are rarer": replay_rounded_gauss,
        "rows as columns": replay_columns_of_obs,
        "Python's random": replay_python_random,
        "overwrites storage": replay_overwrites_storage,
    },
}
RIGHT = {
    "01.td_target": {
        "vectorised": right_td_vectorised,
        "a loop": right_td_loop,
        "a list": right_td_list,
        "np.where": right_td_where,
        "a mask": right_td_mask,
        "argmax, then its value": right_td_take_argmax,
        "sorted, a tuple": right_td_sorted,
        "two loops": right_td_two_loops,
        "a data frame": right_td_frame,
    },
    "01.double_td_target": {
        "two index arrays": right_double_fancy_index,
        "take_along_axis": right_double_take_along,
        "a loop": right_double_loop,
        "one-hot": right_double_one_hot,
        "einsum": right_double_einsum,
        "zip, a tuple": right_double_zip,
        "maximum of pairs": right_double_max_of_pairs,
        "a diagonal": right_double_diagonal,
    },
    "01.epsilon_at": {
        "min": right_epsilon_min,
        "ifs": right_epsilon_ifs,
        "np.interp": right_epsilon_interp,
        "np.clip": right_epsilon_clip,
        "a table": right_epsilon_linspace,
        "step by step": right_epsilon_loop,
        "np.where, an array without axes": right_epsilon_zero_d,
    },
    "01.n_step_return": {
        "a loop": right_n_step_loop,
        "from the back": right_n_step_backwards,
        "a slice": right_n_step_slice,
        "for and else": right_n_step_for_else,
        "recursion": right_n_step_recursion,
        "cumprod": right_n_step_cumprod,
        "lists": right_n_step_list_index,
    },
    "01.soft_update": {
        "a comprehension": right_soft_comprehension,
        "a loop": right_soft_loop,
        "a tuple": right_soft_tuple,
        "copies changed in place": right_soft_copies,
        "nested lists": right_soft_nested_lists,
        "np.average": right_soft_average,
        "map": right_soft_map,
        "recursion": right_soft_deeper_helper,

    },
    "01.replay_sample": {
        "integers": right_replay_integers,
        "choice": right_replay_choice,
        "row by row": right_replay_loop,
        "random numbers times size": right_replay_uniform,
        "endpoint": right_replay_endpoint,
        "slices first": right_replay_sliced_first,
        "rows stacked": right_replay_lists,
        "nested lists": right_replay_nested_lists,
        "a data frame": right_replay_frame,
    },
}
