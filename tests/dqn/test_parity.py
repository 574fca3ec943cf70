"""The same weights and the same batch give the same numbers in NumPy, PyTorch and Keras."""

import numpy as np
import pytest

from course_lib.dqn import reference
from course_lib.dqn.config import DQNConfig

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

B, OBS, ACTIONS, HIDDEN = 64, 5, 3, (16, 8)
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture
def twins():
    from course_lib.dqn import in_keras, in_pytorch

    return in_pytorch, in_keras


@pytest.fixture
def batch(twins):
    rng = np.random.default_rng(0)
    return twins[0].Batch(
        obs=rng.normal(size=(B, OBS)).astype(np.float32), action=rng.integers(0, ACTIONS, B),
        reward=rng.normal(size=B).astype(np.float32), next_obs=rng.normal(size=(B, OBS)).astype(np.float32),
        terminated=rng.integers(0, 2, B).astype(np.float32), discount=np.full(B, 0.97, np.float32))


def tensors(batch):
    return type(batch)(*(torch.tensor(field) for field in batch))


def networks(twins, seed=0):
    """A PyTorch and a Keras network with copies of the same weights, and those weights."""
    rng = np.random.default_rng(seed)
    sizes = [OBS, *HIDDEN, ACTIONS]
    weights = [rng.normal(size=shape).astype(np.float32) / 2
               for i, o in zip(sizes, sizes[1:]) for shape in ((i, o), (o,))]
    in_torch = twins[0].make_q_network((OBS,), ACTIONS, hidden=HIDDEN)
    in_keras = twins[1].make_q_network((OBS,), ACTIONS, hidden=HIDDEN)
    with torch.no_grad():
        for p, w in zip(in_torch.parameters(), weights, strict=True):
            p.copy_(torch.tensor(w.T.copy()))
    in_keras.set_weights([w.copy() for w in weights])
    return in_torch, in_keras, weights


def test_outputs_agree(twins, batch):
    in_torch, in_keras, weights = networks(twins)
    expected = reference.mlp_forward(weights, batch.obs)
    np.testing.assert_allclose(in_torch(torch.tensor(batch.obs)).detach(), expected, **CLOSE)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(in_keras(batch.obs)), expected, **CLOSE)


@pytest.mark.parametrize("double", [False, True])
def test_targets_agree(twins, batch, double):
    q_torch, q_keras, weights = networks(twins, 0)
    t_torch, t_keras, target_weights = networks(twins, 1)
    q, target_q = (reference.mlp_forward(w, batch.next_obs) for w in (weights, target_weights))
    head = (batch.reward, batch.discount, batch.terminated)
    expected = reference.double_td_target(*head, q, target_q) if double else reference.td_target(*head, target_q)
    plain = reference.td_target(*head, target_q)
    assert double == (np.abs(expected - plain).max() > 1e-3)
    np.testing.assert_allclose(twins[0].bootstrap_target(q_torch, t_torch, tensors(batch), double=double),
                               expected, **CLOSE)
    got = twins[1].bootstrap_target(q_keras, t_keras, batch, double=double)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(got), expected, **CLOSE)


@pytest.mark.parametrize("huber_delta", [None, 0.7])
def test_loss_gradients_and_one_sgd_step_agree(twins, batch, huber_delta, td_loss_and_gradients):
    in_torch, in_keras, weights = networks(twins)
    target = np.random.default_rng(1).normal(size=B).astype(np.float32)
    expected, gradients = td_loss_and_gradients(weights, batch.obs, batch.action, target, huber_delta)

    loss = twins[0].td_loss(in_torch(torch.tensor(batch.obs)), torch.tensor(batch.action), torch.tensor(target),
                            huber_delta=huber_delta)
    loss.backward()
    assert loss.item() == pytest.approx(expected, abs=1e-5)
    for p, g in zip(in_torch.parameters(), gradients, strict=True):
        np.testing.assert_allclose(p.grad.numpy().T, g, **CLOSE)
    torch.optim.SGD(in_torch.parameters(), lr=0.1).step()

    class Model(keras.Model):
        def call(self, obs):
            return in_keras(obs)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return twins[1].td_loss(y_pred, batch.action, target, huber_delta=huber_delta)

    model = Model()
    model.net = in_keras
    model.compile(optimizer=keras.optimizers.SGD(0.1))
    assert float(model.train_on_batch(batch.obs, target)) == pytest.approx(expected, abs=1e-5)
    for p, w, old, g in zip(in_torch.parameters(), in_keras.get_weights(), weights, gradients, strict=True):
        np.testing.assert_allclose(w, old - 0.1 * g, **CLOSE)
        np.testing.assert_allclose(p.detach().numpy().T, w, **CLOSE)


def test_soft_updates_agree(twins):
    q_torch, q_keras, weights = networks(twins, 0)
    t_torch, t_keras, target_weights = networks(twins, 1)
    expected = reference.soft_update(target_weights, weights, 0.3)
    twins[0].soft_update(t_torch.parameters(), q_torch.parameters(), 0.3)
    twins[1].soft_update(t_keras.weights, q_keras.weights, 0.3)
    for p, w, e in zip(t_torch.parameters(), t_keras.get_weights(), expected, strict=True):
        np.testing.assert_allclose(p.detach().numpy().T, e, **CLOSE)
        np.testing.assert_allclose(w, e, **CLOSE)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("settings", [{}, {"double": False}, {"huber_delta": 0.5}, {"target_network": False},
                                      {"tau": 1.0, "target_update_every": 3}, {"max_grad_norm": 0.1}])
def test_agents_make_the_same_updates(twins, batch, settings, fast):
    """With SGD: Adam divides by the gradient's size, so that it blows rounding up where a gradient is tiny."""
    config = DQNConfig(hidden=HIDDEN, fast=fast, **settings)
    in_torch, in_keras = (twin.DQNAgent((OBS,), ACTIONS, config) for twin in twins)
    in_torch.optimizer = torch.optim.SGD(in_torch._weights, lr=0.05)
    in_keras.learner.compile(keras.optimizers.SGD(0.05, global_clipnorm=config.max_grad_norm), jit_compile=False)
    _, _, weights = networks(twins)
    with torch.no_grad():
        for net in (in_torch.q_net, in_torch.target_net):
            for p, w in zip(net.parameters(), weights, strict=True):
                p.copy_(torch.tensor(w.T.copy()))
    for net in (in_keras.q_net, in_keras.target_net):
        net.set_weights(weights)
    losses = np.array([[agent.update(batch) for _ in range(5)] for agent in (in_torch, in_keras)])
    np.testing.assert_allclose(losses[0], losses[1], **CLOSE)
    assert losses[0, 4] < losses[0, 0]
    for net in ("q_net", "target_net"):
        pairs = zip(getattr(in_torch, net).parameters(), getattr(in_keras, net).get_weights(), strict=True)
        for (p, w), old in zip(pairs, weights, strict=True):
            np.testing.assert_allclose(p.detach().numpy().T, w, **CLOSE)
            assert np.abs(w - old).max() > 1e-4


def test_the_twins_start_alike(twins):
    """Other random numbers, but the same distribution: uniform in +-1/sqrt(inputs), biases zero."""
    for weights in ([p.detach().numpy().T for p in twins[0].make_q_network((100,), 4, hidden=(50,)).parameters()],
                    twins[1].make_q_network((100,), 4, hidden=(50,)).get_weights()):
        for kernel, bias in zip(weights[::2], weights[1::2]):
            limit = len(kernel) ** -0.5
            assert 0.9 * limit < np.abs(kernel).max() <= limit and not bias.any()
            assert kernel.std() == pytest.approx(limit / 3**0.5, rel=0.1)
