"""What the Keras twins compute on one backend, as JSON; `test_backends.py` runs it on each, in a process of its own."""

import json

import numpy as np


def updates_of_an_agent():
    import keras

    from course_lib.dqn.in_keras import Batch, DQNAgent, DQNConfig

    rng = np.random.default_rng(0)
    agent = DQNAgent((4,), 3, DQNConfig(hidden=(16,), tau=0.5, target_update_every=2, max_grad_norm=1.0))
    agent.learner.compile(keras.optimizers.SGD(0.05, global_clipnorm=1.0), jit_compile=False)
    weights = [rng.normal(size=w.shape).astype(np.float32) for w in agent.q_net.get_weights()]
    for net in (agent.q_net, agent.target_net):
        net.set_weights(weights)
    shape = (5, 32)
    block = Batch(rng.normal(size=(*shape, 4)).astype(np.float32), rng.integers(0, 3, shape),
                  rng.normal(size=shape).astype(np.float32), rng.normal(size=(*shape, 4)).astype(np.float32),
                  rng.integers(0, 2, shape).astype(np.float32), np.full(shape, 0.9, np.float32))
    loss = agent.update_block(block)
    assert agent.q_net(block.obs[0] * 1.0).shape[1] == 3
    return [np.array(loss), agent.q_values(block.obs[0])]


def games_of_a_gan():
    from course_lib.gan.in_keras import GAN, GANConfig

    rng = np.random.default_rng(0)
    x, y = rng.random((40, 8, 8)), np.arange(40) % 3
    found = []
    for fields in ({}, {"objective": "relativistic", "r2": 1.0}, {"network": "conv", "filters": 4},
                   {"objective": "wasserstein", "r1": 0.0, "gradient_penalty": 10.0, "discriminator_steps": 2},
                   {"objective": "hinge", "r1": 0.0, "spectral_norm": True}):
        gan = GAN((8, 8), 3, GANConfig(hidden=(16,), latent_size=4, batch_size=8, average=0.5, **fields))
        for network in (gan.generator, gan.discriminator):  # the initial weights differ between backends
            for variable in network.trainable_variables:
                variable.assign(rng.normal(0, 0.3, variable.shape))
        history = gan.fit(x, y, steps=5)
        found += [np.array([history.d_loss[-1], history.g_loss[-1]]), gan.sample(y[:3])]
    return found


def training_of_an_ensemble():
    from course_lib.ensembling.in_keras import DeepEnsemble, NetClassifier

    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4))
    y = x[:, 0] * 10 + rng.normal(size=60)
    settings = dict(n_members=2, epochs=2, random_state=0)
    return [DeepEnsemble(**settings).fit(x, y).predict_members(x),
            NetClassifier(**settings).fit(x, y > 0).predict_proba(x)]


def runs_side_by_side():
    from course_lib.networks.in_keras import TrainingRuns
    from course_lib.training.reference import dropout_masks

    found, settings = [], {"sgd": {"l2": [0.01, 0.1], "max_norm": [0.5, 9]}, "rmsprop": {"max_value": [0.01, 9]},
                           "adam": {"l1": [0.01, 0.1], "kept": [0.0, 0.5]}}
    for optimizer, options in settings.items():
        rng = np.random.default_rng(0)
        shapes = (2, 4, 6), (2, 6), (2, 6, 6), (2, 6), (2, 6, 3), (2, 3)
        runs = TrainingRuns([rng.normal(size=shape) for shape in shapes], optimizer=optimizer)
        if "kept" in options:
            options["kept"] = dropout_masks(rng, options["kept"], (5, 2, 8, 6))
        x, y = rng.normal(size=(5, 2, 8, 4)), rng.integers(3, size=(5, 2, 8))
        losses, norms = runs.train(x, y, [0.01, 0.1], **options)
        runs.restart(np.array([1]), [rng.normal(size=shape)[:1] for shape in shapes])
        found += [losses, norms, *runs.weights()]
    return found


PARTS = {part.__name__: part for part in (
    updates_of_an_agent, games_of_a_gan, training_of_an_ensemble, runs_side_by_side)}

if __name__ == "__main__":
    import keras

    print(json.dumps([keras.backend.backend(), {
        name: [np.asarray(values, float).tolist() for values in part()] for name, part in PARTS.items()}]))
