"""rejax (0.1.3): a DQN whose environments, from gymnax, are written in JAX as well, so that all of it is compiled."""

from functools import cache, partial

import jax
from jax import numpy as jnp
from rejax import get_algo
from rejax.evaluate import evaluate


@cache
def compiled(every, episodes, activation, **settings):
    """Three compiled functions: begin; so many steps and then greedy episodes; what to do."""
    dqn = get_algo("dqn").create(agent_kwargs={"activation": activation}, **settings)

    def greedy(params, obs, key):
        return dqn.agent.apply(params, obs, key, epsilon=0.0, method="act")

    @jax.jit
    def block(state, key):
        state = jax.lax.fori_loop(0, every // dqn.num_envs, lambda _, state: dqn.train_iteration(state), state)
        act = partial(one, state.q_ts.params)
        _, returns = evaluate(act, key, dqn.env, dqn.env_params, episodes, dqn.env_params.max_steps_in_episode)
        return state, returns.mean()

    def one(params, obs, key):
        return jnp.squeeze(greedy(params, obs[None], key))

    return jax.jit(dqn.init_state), block, jax.jit(greedy)


class Run:
    """One run: `advance` trains for so many steps, and returns the mean return of greedy episodes."""

    def __init__(self, seed, every, episodes=20, **settings):
        begin, self.block, self.greedy = compiled(every, episodes, **settings)
        self.state, self.key = begin(jax.random.PRNGKey(seed)), jax.random.PRNGKey(seed + 10_000)

    def advance(self):
        self.key, key = jax.random.split(self.key)
        self.state, mean = self.block(self.state, key)
        return float(mean)

    def act(self, obs):
        return jax.device_get(self.greedy(self.state.q_ts.params, obs, self.key))
