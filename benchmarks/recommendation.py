"""What recommending with foresight earns, what it needs to see, and what a log can tell of it."""

from dataclasses import replace
from functools import partial
from itertools import product

import next_basket
import numpy as np
import sardine_peer
from benchmark import Benchmark, twins

from course_lib.dqn.loop import evaluate
from course_lib.networks.config import TrainingConfig
from course_lib.recommendation import logged, splits
from course_lib.recommendation.config import PLANNER
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.log import load_online_retail
from course_lib.recommendation.policies import ItemBandit, OracleMyopic, Random, learn_online
from course_lib.recommendation.ranking import Pages
from course_lib.recommendation.shop import (
    ADS,
    CART,
    SIZE,
    Catalog,
    ShopConfig,
    click_probability,
    directions,
    expected_reward,
    leaving_probability,
    next_satisfaction,
    purchase_probability,
    simulate_catalog,
    with_nothing,
)

CUT = next_basket.CUT
MYOPIC = replace(PLANNER, gamma=0.0)  # the same network, which learns what an item earns at once
AGENTS = {"DQN": PLANNER, "gamma 0": MYOPIC}
PENALTIES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6)  # for a full hook, in units of reward
ORACLE = "oracle that looks no further"
MAIN = tuple(product((0.35, 0.0), (2.0, 0.0)))  # kappa and phi of the worlds in which all are compared
MAP = tuple(sorted({*product((0.0, 0.15, 0.35, 0.7), (0.0, 1.0, 2.0, 4.0))} - {*MAIN}))
ROUND = TrainingConfig(epochs=1, learning_rate=2e-3, batch_size=256)  # of each of so many rounds of fitted Q-learning
ROUNDS, STEPS, ALPHAS = 40, 100_000, (0.0, 0.1, 0.5)


class Popular:
    """The items that sold best, in turn; with `repeats` always the best one."""

    def __init__(self, sold, *, steps, repeats=False):
        self.ranking, self.steps, self.repeats = np.argsort(-np.asarray(sold), kind="stable"), steps, repeats

    def act(self, obs):
        """Actions (B,) for observations (B, 22)."""
        time = np.rint(np.asarray(obs)[:, 3 * SIZE + 1] * self.steps).astype(int)
        return self.ranking[(0 if self.repeats else time) % len(self.ranking) + 0 * time]


class Penalised:
    """What an agent would show, but for a penalty times the hook."""

    def __init__(self, agent, catalog, penalty):
        self.agent, self.catalog, self.penalty = agent, catalog, penalty

    def act(self, obs):
        """Actions (B,) for observations (B, 22)."""
        return (self.agent.q_values(obs) - self.penalty * self.catalog.hook).argmax(axis=1)


class Planner:
    """Of the items that earn most now, the one after which most comes in so many steps, the later ones chosen greedily.

    It knows all rules, and the taste or only the profile. Satisfaction and fatigue go as the rules say, and a visitor
    who has left brings nothing.
    """

    def __init__(self, env, *, steps, knows_taste=True, candidates=8):
        self.env, self.steps, self.knows_taste, self.candidates = env, steps, knows_taste, candidates

    def act(self, obs):
        """Actions (B,) for the visitors whom `env` has now."""
        env, rows = self.env, np.arange(self.env.num_envs)
        liking = (env.taste if self.knows_taste else directions(env.profile)) @ env.catalog.embedding.T
        first = np.argsort(-self.expected(liking, env.fatigue, env.satisfaction)[1], axis=1)[:, :self.candidates]
        totals = np.zeros(first.shape)
        for total, shown in zip(totals.T, first.T, strict=True):
            fatigue, satisfaction, here = env.fatigue, env.satisfaction, np.ones(len(rows))
            for step in range(self.steps):
                click, earns = self.expected(liking, fatigue, satisfaction)
                items = earns.argmax(axis=1) if step else shown
                total += here * earns[rows, items]
                satisfaction = next_satisfaction(satisfaction, env.catalog.hook[items], env.config.kappa)
                fatigue = env.config.memory * fatigue + env.catalog.embedding[items]
                clicked = click[rows, items]
                quiet, pleased = (leaving_probability(satisfaction, each) for each in (0, 1))
                leaves = clicked * pleased + (1 - clicked) * quiet
                here = here * (1 - leaves) * (env.time + step + 1 < env.config.steps)
        return first[rows, totals.argmax(axis=1)]

    def expected(self, liking, fatigue, satisfaction):
        """Of each item, (B, N): how likely it is clicked, and what it earns on average."""
        catalog, config = self.env.catalog, self.env.config
        click = click_probability(liking, catalog.hook, catalog.appeal, fatigue @ catalog.embedding.T,
                                  satisfaction[:, None], config.phi)
        return click, expected_reward(click, purchase_probability(liking, catalog.hook), config)


def catalogs(seed=0):
    """48 items to learn with, and twelve that are new after that."""
    full = simulate_catalog(60, seed=seed)
    return full.take(slice(48)), full.take(slice(48, None))


def catalog_of_log(known, *, items=60, seed=0):
    """A catalog of the items that most users bought, and their numbers; `known` (U, I) as in `splits.Split`.

    Embeddings are the leading left singular vectors of the items' positive pointwise mutual information (Levy &
    Goldberg 2014, section 5.1), appeals the logarithm of how many users bought; hooks are drawn at random.
    """
    bought = (known > 0).astype(float)
    popular = np.asarray(bought.sum(axis=0)).ravel()
    chosen = np.sort(np.argsort(-popular, kind="stable")[:items])
    together = np.asarray((bought[:, chosen].T @ bought[:, chosen]).todense(), float)
    share = np.outer(popular[chosen], popular[chosen]) / known.shape[0]
    vectors, values, _ = np.linalg.svd(np.maximum(0, np.log(np.maximum(together, 1e-12) / share)))
    appeal = np.log(popular[chosen])
    appeal = 0.3 * (appeal - appeal.mean()) / max(appeal.std(), 1e-9)
    hook = np.random.default_rng(seed).random(len(chosen))
    return Catalog(directions(vectors[:, :SIZE] * np.sqrt(values[:SIZE])), hook, appeal), chosen


def reward(policy, catalog, config=None, *, sessions=1_000, seed=0):
    """Mean reward of a session, over fresh visitors; `policy` may be a function of the environment that makes one."""
    env = RecommendationVectorEnv(catalog, config, num_envs=sessions)
    policy = policy(env) if callable(policy) else policy
    return float(evaluate(policy, env, sessions, seed=seed + 1_000_003).mean())


def worth(agent, catalog, config=None, *, sessions=1_000, seed=0):
    """Means over visitors: the largest value that an agent gives their first step, and what comes, discounted."""
    env = RecommendationVectorEnv(catalog, config, num_envs=sessions)
    obs, _ = env.reset(seed=seed + 2_000_003)
    said, came, over = agent.q_values(obs).max(axis=1), np.zeros(sessions), np.zeros(sessions, bool)
    for step in range(env.config.steps):
        obs, rewards, terminated, *_ = env.step(agent.act(obs))
        came += agent.config.gamma**step * rewards * ~over
        over |= terminated
    return float(said.mean()), float(came.mean())


def sold_at_random(catalog, config=None, *, steps=100, seed=0):
    """How often each item is bought (N,) if 256 visitors at a time are shown random items."""
    env, sold = RecommendationVectorEnv(catalog, config, num_envs=256), np.zeros(len(catalog))
    env.reset(seed=seed)
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        actions = rng.integers(len(catalog), size=256)
        sold += np.bincount(actions, weights=env.step(actions)[-1]["purchase"], minlength=len(catalog))
    return sold


def without_network(known, config=None, *, seed=0):
    """Policies that need no network, as {name: function from a catalog to a policy}; bandits learned on `known`."""
    def popular(catalog, repeats):
        sold = sold_at_random(catalog, config, seed=seed)
        return Popular(sold, steps=(config or ShopConfig()).steps, repeats=repeats)

    found = {"random": lambda catalog: Random(len(catalog), seed=seed),
             "popular items in turn": lambda catalog: popular(catalog, False),
             "the most popular item": lambda catalog: popular(catalog, True)}
    for name, by in (("LinUCB", "ucb"), ("Thompson sampling", "thompson")):
        bandit = learn_online(ItemBandit(known, by=by, width=0.3, seed=seed),
                              RecommendationVectorEnv(known, config, num_envs=64), steps=300, seed=seed)
        found[name] = bandit.on
    return found | {ORACLE: lambda catalog: OracleMyopic}


def train_both(twin, known, config=None, *, seed=0):
    """An agent that does not look ahead and one that does, by name."""
    return {name: twin.train_recommender(RecommendationVectorEnv(known, config, num_envs=128), AGENTS[name],
                                         seed=seed).agent for name in ("gamma 0", "DQN")}


def compare(twin, config=None, *, seed=0, sessions=1_000):
    """Mean rewards of a session with known items and with new ones, by who recommends."""
    known, new = catalogs(seed)
    agents = train_both(twin, known, config, seed=seed)
    def tuned(make):
        return max(PENALTIES, key=lambda penalty: reward(make(penalty), known, config, sessions=sessions,
                                                         seed=seed + 500))

    penalty = tuned(lambda penalty: Penalised(agents["gamma 0"], known, penalty))
    of_oracle = tuned(lambda penalty: partial(OracleMyopic, penalty=penalty))
    makers = without_network(known, config, seed=seed) | {
        "gamma 0": lambda catalog: twin.for_items(agents["gamma 0"], catalog),
        "gamma 0 with a tuned penalty on hooks": lambda catalog: Penalised(
            twin.for_items(agents["gamma 0"], catalog), catalog, penalty),
        "DQN": lambda catalog: twin.for_items(agents["DQN"], catalog),
        "oracle with a tuned penalty on hooks": lambda catalog: partial(OracleMyopic, penalty=of_oracle)}
    return {name: tuple(reward(make(catalog), catalog, config, sessions=sessions, seed=seed)
                        for catalog in (known, new)) for name, make in makers.items()}


def in_a_shop(agents, catalog, config=None, *, seed=0, sessions=1_000):
    """Mean reward of a session by who recommends: agents, and those between whom they should be."""
    makers = {"random": Random(len(catalog), seed=seed), **agents, ORACLE: OracleMyopic}
    return {name: reward(policy, catalog, config, sessions=sessions, seed=seed) for name, policy in makers.items()}


def by_value(agent, places):
    """A ranking by action values: it takes each for what the item adds to a page, whatever else is there."""
    return lambda obs: np.argsort(-agent.q_values(obs), axis=1, kind="stable")[:, :places]


def session_rewards(pages, rank, *, seed=0):
    """Returns of one session in each copy: `rank(obs)` gives rankings (B, places) for observations (B, 22)."""
    obs, total = pages.reset(seed=seed), 0.0
    for _ in range(pages.visitors.config.steps):
        obs, reward, over, _ = pages.step(rank(obs))
        total = total + reward
        if over.all():
            break
    return total


def by_use(twin, *, seed=0, sessions=1_000):
    """Mean reward of a session in four uses, {use: {who recommends: reward}}; agents of the shop rank the pages."""
    known, _ = catalogs(seed)
    found = {}
    for use, config, catalog in (("shop", ShopConfig(), known), ("advertisements", ADS, with_nothing(known)),
                                 ("cart", CART, known)):
        agents = train_both(twin, catalog, config, seed=seed)
        found[use] = in_a_shop(agents, catalog, config, seed=seed, sessions=sessions)
        if use == "shop":
            pages, rng = Pages(known, config, num_envs=sessions), np.random.default_rng(seed)
            ranked = {"random": lambda obs, rng=rng: rng.random((len(obs), len(known))).argsort()[:, :5]}
            ranked |= {name: by_value(agent, 5) for name, agent in agents.items()}
            ranked[ORACLE] = lambda obs, pages=pages: np.argsort(-pages.visitors.expected_rewards(), axis=1)[:, :5]
            found["search results"] = {name: float(session_rewards(pages, rank, seed=seed + 1_000_003).mean())
                                       for name, rank in ranked.items()}
    return found


def by_what_is_seen(twin, *, seed=0, sessions=1_000):
    """Mean reward of a session if the shop sees less of its visitors, {what it sees: {who recommends: reward}}.

    Without a profile every visitor is cold: only the clicks tell what he likes. The oracle sees all, always.
    """
    known, _ = catalogs(seed)
    return {sees: in_a_shop(train_both(twin, known, config, seed=seed), known, config, seed=seed, sessions=sessions)
            for sees, config in (("no profile", ShopConfig(profile_noise=None)),
                                 ("neither", ShopConfig(observe_satisfaction=False, profile_noise=None)))}


def replays(twin, *, seed=0, sessions=1_000, share=0.5, planner=PLANNER):
    """{replay: (reward, value of a first step that is said, and that it has)}, with a share of each batch rewarded."""
    (known, _), found = catalogs(seed), {}
    for name, rewarded in (("uniform", 0.0), ("rewards more often", share)):
        agent = twin.train_recommender(RecommendationVectorEnv(known, num_envs=128),
                                       replace(planner, rewarded_share=rewarded), seed=seed).agent
        found[name] = reward(agent, known, sessions=sessions, seed=seed), *worth(agent, known, sessions=sessions)
    return found


def conservative_loss(framework, alpha):
    """`loss(y, q)`: y (B, 2) holds actions and targets, q (B, N) values. Kumar et al. 2020, eq. 4, without its half.

    The squared error, plus alpha times how far the values of all actions exceed that of the one in the log.
    """
    if framework == "pytorch":
        def loss(y, q):
            chosen = q.gather(1, y[:, :1].long())[:, 0]
            return ((y[:, 1] - chosen).square() + alpha * (q.logsumexp(dim=1) - chosen)).mean()
    else:
        from keras import ops

        def loss(y, q):
            chosen = ops.take_along_axis(q, ops.cast(y[:, :1], "int32"), axis=1)[:, 0]
            return ops.mean(ops.square(y[:, 1] - chosen) + alpha * (ops.logsumexp(q, axis=1) - chosen))
    return loss


def transitions(catalog, policy, count, *, seed=0, copies=100):
    """A log under a `logged.Soft`: obs (n, 22), actions, rewards, next_obs and terminated (n,), of `count` or more."""
    env, rng, found = RecommendationVectorEnv(catalog, num_envs=copies), np.random.default_rng(seed), []
    obs, _ = env.reset(seed=seed)
    fresh = np.zeros(copies, bool)
    while sum(len(part[1]) for part in found) < count:
        actions = policy.sample(obs, rng)
        after, rewards, terminated, *_ = env.step(actions)
        found.append([part[~fresh].copy() for part in (obs, actions, rewards, after, terminated)])
        obs, fresh = after, terminated & ~fresh
    return [np.concatenate(part) for part in zip(*found, strict=True)]


class Acts:
    """A policy that is a function of observations."""

    def __init__(self, act):
        self.act = act


def fitted_q(framework, catalog, log, *, alpha, gamma=PLANNER.gamma, seed=0, rounds=ROUNDS):
    """Q-learning from a log (n transitions): each round fits the network to targets that it gives itself."""
    twin, nets = twins(framework, "recommendation", "networks")
    obs, actions, rewards, after, terminated = log
    model = twin.ItemFeatureQNetwork(catalog.features, obs.shape[1], hidden=64, seed=seed)
    loss = conservative_loss(framework, alpha)
    for number in range(rounds):
        best = nets.predict(model, after).max(axis=1)
        targets = rewards + gamma * ~terminated * best if number else rewards
        nets.train(model, obs, np.column_stack([actions, targets]), ROUND, seed=seed + number, loss=loss)
    return model


def imitation(framework, catalog, log, *, seed=0, epochs=10):
    """A network that is taught which item the log shows."""
    twin, nets = twins(framework, "recommendation", "networks")
    model = twin.ItemFeatureQNetwork(catalog.features, log[0].shape[1], hidden=64, seed=seed)
    nets.train(model, log[0], log[1], replace(ROUND, epochs=epochs), seed=seed)
    return model


def learned_from_a_log(framework, *, seed=0, steps=STEPS, rounds=ROUNDS):
    """{who recommends: mean reward of a session}; the log is of a policy that follows the profile, softly."""
    twin, nets = twins(framework, "recommendation", "networks")
    known, _ = catalogs(seed)
    behaviour, rng = logged.Soft(known, personal=1.0), np.random.default_rng(seed)
    log, shop = transitions(known, behaviour, steps, seed=seed), RecommendationVectorEnv(known, num_envs=128)
    models = {"imitation": imitation(framework, known, log, seed=seed),
              "from the log, gamma 0": fitted_q(framework, known, log, alpha=0.0, gamma=0.0, seed=seed, rounds=rounds),
              **{f"from the log, alpha {alpha:g}": fitted_q(framework, known, log, alpha=alpha, seed=seed,
                                                           rounds=rounds) for alpha in ALPHAS}}
    agents = {"the policy that logged": Acts(lambda obs: behaviour.sample(obs, rng)),
              **{name: Acts(lambda obs, model=model: nets.predict(model, np.asarray(obs, np.float32)).argmax(axis=1))
                 for name, model in models.items()},
              "DQN that may try things": twin.train_recommender(shop, replace(PLANNER, total_steps=steps),
                                                                seed=seed).agent}
    return in_a_shop(agents, known, seed=seed)


def from_a_log(framework, seeds):
    """Mean reward of a session: learned from 100,000 logged steps of a policy that follows the profile, or online."""
    for seed in range(seeds):
        for name, value in learned_from_a_log(framework, seed=seed).items():
            yield {"who recommends": name, "seed": seed, "reward": value}


def in_the_shop(framework, seeds):
    """Mean reward of a session in four simulated shops, 1,000 fresh visitors each.

    Bait costs goodwill (kappa 0.35) or not (0), sameness bores (phi 2) or not (0). By the seed the 48 known and twelve
    new items and all first weights differ. Penalties on hooks are tuned on other visitors.
    """
    [twin] = twins(framework, "recommendation")
    for seed in range(seeds):
        for kappa, phi in MAIN:
            for name, rewards in compare(twin, ShopConfig(kappa=kappa, phi=phi), seed=seed).items():
                for items, value in zip(("known items", "new items"), rewards, strict=True):
                    yield {"kappa": kappa, "phi": phi, "items": items, "who recommends": name, "seed": seed,
                           "reward": value}


def in_many_worlds(framework, seeds):
    """Mean reward of a session in twelve other shops, 1,000 fresh visitors each.

    By the seed the 48 items and all first weights differ.
    """
    [twin] = twins(framework, "recommendation")
    for seed in range(seeds):
        known, _ = catalogs(seed)
        for kappa, phi in MAP:
            config = ShopConfig(kappa=kappa, phi=phi)
            agents = train_both(twin, known, config, seed=seed)
            for name, value in in_a_shop(agents, known, config, seed=seed).items():
                yield {"kappa": kappa, "phi": phi, "who recommends": name, "seed": seed, "reward": value}


def bait_shown(policy, catalog, config, *, sessions=1_000, seed=0):
    """Which share of what it shows has a hook above a half, over whole sessions of fresh visitors."""
    env, here, shown = RecommendationVectorEnv(catalog, config, num_envs=sessions), np.ones(sessions, bool), []
    policy, (obs, _) = policy(env), env.reset(seed=seed + 1_000_003)
    for _ in range(config.steps):
        items = policy.act(obs)
        shown.append(catalog.hook[items[here]] > 0.5)
        obs, _, terminated, *_ = env.step(items)
        here &= ~terminated
    return float(np.concatenate(shown).mean())


def with_rules_known(_, seeds, sessions=1_000):
    """Mean reward of a session, and which share of what is shown has a hook above a half.

    Planners know all rules, and the taste or only the profile; they look one step ahead (the oracle that looks no
    further) or three. By the seed the 48 items and the visitors differ.
    """
    for seed in range(seeds):
        known, _ = catalogs(seed)
        for (kappa, phi), steps, knows_taste in product(MAIN, (1, 3), (True, False)):
            make, config = partial(Planner, steps=steps, knows_taste=knows_taste), ShopConfig(kappa=kappa, phi=phi)
            yield {"kappa": kappa, "phi": phi, "knows": "taste" if knows_taste else "profile", "steps": steps,
                   "seed": seed, "reward": reward(make, known, config, sessions=sessions, seed=seed),
                   "bait": bait_shown(make, known, config, sessions=sessions, seed=seed)}


def in_other_uses(framework, seeds):
    """Mean reward of a session, agents trained as long.

    Pages of five search results; six advertisements to place, paid by the click; what goes with the basket; and the
    shop that sees less of its visitors.
    """
    [twin] = twins(framework, "recommendation")
    for seed in range(seeds):
        less = {f"the shop, {what}": row for what, row in by_what_is_seen(twin, seed=seed).items()}
        for use, row in (by_use(twin, seed=seed) | less).items():
            yield from ({"use": use, "who recommends": name, "seed": seed, "reward": value}
                        for name, value in row.items())


def by_replay(framework, seeds):
    """Mean reward of a session with half of each batch drawn from transitions with a reward.

    What the agent says that a first step is worth, and what then came, discounted.
    """
    [twin] = twins(framework, "recommendation")
    for seed in range(seeds):
        for name, values in replays(twin, seed=seed).items():
            named = zip(("reward", "value said", "value brought"), values, strict=True)
            yield {"replay": name, "seed": seed, **dict(named)}


def with_real_items(framework, seeds, log):
    """Mean reward of a session with 48 items that are alike if the same users bought them; hooks are drawn at random.

    By the seed the hooks, the visitors and all first weights differ.
    """
    [twin] = twins(framework, "recommendation")
    known = splits.temporal_split(load_online_retail(log or None), CUT).known
    for seed in range(seeds):
        catalog, _ = catalog_of_log(known, items=48, seed=seed)
        found = in_a_shop(train_both(twin, catalog, seed=seed), catalog, seed=seed)
        yield from ({"who recommends": name, "seed": seed, "reward": value} for name, value in found.items())


def off_policy(_, seeds, sessions=20_000):
    """Error of what a log of 20,000 first steps under another policy says of a policy's reward, over 40 logs.

    And in how many of them a 95 % interval holds the truth.
    """
    known, _ = catalogs()
    old, new = logged.Soft(known, personal=0.3), logged.Soft(known, personal=1.0)
    for seed in range(seeds):
        log = logged.first_steps(known, old, new, sessions=sessions, seed=seed)
        for name, estimate in logged.estimates(log, known).items():
            yield {"estimator": name, "seed": seed, "error": estimate.value - log.truth,
                   "interval holds the truth": float(estimate.low < log.truth < estimate.high)}


def agent_canary(framework, catalog=None, settings=PLANNER, config=None):
    """Updates by what random recommendations earn."""
    [twin] = twins(framework, "recommendation")
    catalog = catalog or catalogs()[0]
    env = RecommendationVectorEnv(catalog, config, num_envs=64)
    settings = replace(settings, warmup_steps=1_000, total_steps=2_500, epsilon_end=1.0)
    history = twin.train_recommender(env, settings, seed=0)
    values = history.agent.q_values(env.reset(seed=1)[0])
    return {"first loss": history.losses[0], "last loss": history.losses[-1], "value": values.mean(),
            "spread": values.std(axis=1).mean(),
            "random": reward(Random(len(catalog)), catalog, config, sessions=200)}


def log_canary(framework):
    """Values after two rounds on a short log, with a penalty and without, and of imitation."""
    [nets] = twins(framework, "networks")
    known, _ = catalogs()
    log = transitions(known, logged.Soft(known, personal=1.0), 2_000)
    models = {f"alpha {alpha:g}": fitted_q(framework, known, log, alpha=alpha, rounds=2) for alpha in (0.0, 0.5)}
    models["imitation"] = imitation(framework, known, log, epochs=2)
    return {f"{part} of {name}": getattr(nets.predict(model, log[0][:500]), part)()
            for name, model in models.items() for part in ("mean", "std")}


def shop_canary(framework):
    """That of an agent, and what needs no network."""
    known, _ = catalogs()
    return agent_canary(framework) | {
        name: reward(policy, known, sessions=200) for name, policy in (
            ("oracle", OracleMyopic), ("LinUCB", without_network(known)["LinUCB"](known)))}


def planner_canary(framework):
    """One shop, few visitors."""
    return {f"{name}, kappa {row['kappa']}, phi {row['phi']}, {row['knows']}, {row['steps']} steps": row[name]
            for row in with_rules_known(framework, 1, sessions=50) for name in ("reward", "bait")}


def off_policy_canary(framework):
    """One short log."""
    return {row["estimator"]: row["error"] for row in off_policy(framework, 1, sessions=2_000)}


REAL = {"log": ""}  # downloaded once; or the path of onlineretail.rda
STUDIES = {
    "recommendation_sardine": sardine_peer.STUDY,
    "recommendation_next_basket": next_basket.STUDY,
    "recommendation_shop": Benchmark(
        title="Recommending with foresight",
        settings=AGENTS | {"shop": ShopConfig(), "penalties": PENALTIES}, rows=in_the_shop, canary=shop_canary,
        down=("items", "who recommends"), across=("framework", "kappa", "phi"), seeds=8),
    "recommendation_map": Benchmark(
        title="Where foresight pays",
        settings=AGENTS | {"kappa and phi": MAP}, rows=in_many_worlds, seeds=5,
        canary=lambda framework: agent_canary(framework, config=ShopConfig(kappa=0.7, phi=4.0)),
        down=("kappa", "who recommends"), across=("framework", "phi")),
    "recommendation_planner": Benchmark(
        title="What looking ahead can gain",
        settings={"shop": ShopConfig(), "candidates": 8}, rows=with_rules_known, canary=planner_canary,
        down=("kappa", "phi"), across=("knows", "steps"), seeds=8, frameworks=("numpy",)),
    "recommendation_offline": Benchmark(
        title="Learning to recommend from a log alone",
        settings={"round": ROUND, "rounds": ROUNDS, "logged steps": STEPS, "gamma": PLANNER.gamma, "alphas": ALPHAS,
                  "DQN": replace(PLANNER, total_steps=STEPS)},
        rows=from_a_log, canary=log_canary, down=("who recommends",), seeds=5),
    "recommendation_uses": Benchmark(
        title="Other uses of the shop, and what it sees",
        settings=AGENTS | {"advertisements": ADS, "cart": CART}, rows=in_other_uses, down=("use",), seeds=5,
        across=("framework", "who recommends"), canary=lambda framework: agent_canary(
            framework, with_nothing(catalogs()[0]), MYOPIC, ADS)),
    "recommendation_real_items": Benchmark(
        title="The shop with items of Online Retail",
        settings=AGENTS | {"cut": CUT}, rows=with_real_items, down=("who recommends",), seeds=5, options=REAL,
        canary=agent_canary),
    "recommendation_replay": Benchmark(
        title="Drawing rewarded transitions more often",
        settings=AGENTS | {"rewarded share": 0.5}, rows=by_replay, down=("replay",), seeds=5,
        canary=lambda framework: agent_canary(framework, settings=replace(PLANNER, rewarded_share=0.5))),
    "recommendation_off_policy": Benchmark(
        title="Judging a policy by another one's log",
        settings={"old": 0.3, "new": 1.0, "sessions": 20_000}, rows=off_policy, canary=off_policy_canary,
        down=("estimator",), across=(), seeds=40, frameworks=("numpy",))}
