"""Networks that fuse what other networks see, in Keras 3; `in_pytorch` is the same file in PyTorch."""

from __future__ import annotations

import math
from functools import partial

import keras
import numpy as np
from keras import layers, ops

from course_lib.fusion.inputs import check_columns, check_fits, check_fusion, check_mixture, check_trunk, seeds_of
from course_lib.networks.in_keras import make_mlp

__all__ = ["AttentionFusion", "ConcatFusion", "CrossStitch", "GatedFusion", "MixtureOfExperts", "SharedTrunk",
           "features", "load_balancing_loss", "top_k_gates"]


def features(nets):
    """A classifier without its last layer: what it has seen before it decides. It shares the weights."""
    return keras.Sequential([keras.Input(nets.input_shape[1:]), *nets.layers[:-1]])


class ConcatFusion(keras.Model):
    """Puts the experts' features side by side, and classifies them with dense layers.

    Parameters
    ----------
    experts : list of networks
        Each from its input (B, *input_shapes[m]) to features (B, F_m). They are copied; the same network listed twice
        stays one, with shared weights.
    input_shapes : list of tuples
        One for each expert, or a single one if all see the same input.
    n_classes : int
    hidden : tuple of int
        Units of the dense layers between features and logits.
    frozen : bool
        Whether the experts keep their weights.
    seed : int
        Of the new layers' weights.
    """

    def __init__(self, experts, input_shapes, n_classes, *, hidden=(64,), frozen=False, seed=0):
        inputs, _, seen = _see(experts, input_shapes, frozen)
        together = ops.concatenate(seen, axis=1)
        head = make_mlp((together.shape[1],), n_classes, hidden=hidden, seed=seed)
        super().__init__(_as_given(inputs), head(together))


class SharedTrunk(ConcatFusion):
    """One network looks at every input in turn, always with the same weights; what it saw is put side by side.

    Parameters
    ----------
    trunk : network
        From any of the inputs to features; it is copied.
    input_shapes : list of tuples
        One for each input, all alike.
    n_classes, hidden, frozen, seed
        As in `ConcatFusion`.

    References
    ----------
    Bromley et al. 1993, "Signature verification using a 'siamese' time delay neural network", section 4.
    """

    def __init__(self, trunk, input_shapes, n_classes, *, hidden=(64,), frozen=False, seed=0):
        super().__init__([trunk] * check_trunk(input_shapes), input_shapes, n_classes, hidden=hidden, frozen=frozen,
                         seed=seed)


class GatedFusion(keras.Model):
    """Mixes the experts' features neuron by neuron; how much of each, a gate decides anew for every example.

    Parameters
    ----------
    experts, input_shapes, n_classes, frozen, seed
        As in `ConcatFusion`.
    units : int
        Of the fused features.

    References
    ----------
    Arevalo et al. 2017, "Gated multimodal units for information fusion", section 3.1. For two experts the gates are
    theirs; for more, theirs are sigmoids, each for itself, and these a softmax, of sum 1.
    """

    def __init__(self, experts, input_shapes, n_classes, *, units=64, frozen=False, seed=0):
        inputs, _, seen = _see(experts, input_shapes, frozen)
        together, (first, second, *seeds) = ops.concatenate(seen, axis=1), seeds_of(seed, 2 + len(seen))
        hidden = ops.stack([ops.tanh(_linear(x, units, own)) for x, own in zip(seen, seeds, strict=True)], axis=1)
        scores = ops.reshape(_linear(together, len(seen) * units, first), (-1, len(seen), units))
        gates = ops.softmax(scores, axis=1)  # (B, experts, units)
        super().__init__(_as_given(inputs), _linear(ops.sum(gates * hidden, axis=1), n_classes, second))
        self._gates = _function(inputs, gates)

    def gates(self, *inputs):
        """How much of each expert each neuron takes, of arrays: an array (B, experts, units), of sum 1 over experts."""
        return self._gates(inputs)


class AttentionFusion(keras.Model):
    """Weighs the experts by how well a key of each answers a query that all of them ask together.

    Parameters
    ----------
    experts, input_shapes, n_classes, frozen, seed
        As in `ConcatFusion`.
    units : int
        Of queries, keys and values.

    References
    ----------
    Vaswani et al. 2017, "Attention is all you need", eq. 1, with experts in the place of words.
    """

    def __init__(self, experts, input_shapes, n_classes, *, units=64, frozen=False, seed=0):
        inputs, _, seen = _see(experts, input_shapes, frozen)
        first, second, *seeds = seeds_of(seed, 2 + 2 * len(seen))
        query = _linear(ops.concatenate(seen, axis=1), units, first)  # (B, units)
        keys, values = (ops.stack([_linear(x, units, own) for x, own in zip(seen, some, strict=True)], axis=1)
                        for some in (seeds[::2], seeds[1::2]))  # (B, experts, units)
        weights = ops.softmax(ops.sum(keys * query[:, None], axis=2) / math.sqrt(units), axis=1)
        super().__init__(_as_given(inputs), _linear(ops.sum(weights[..., None] * values, axis=1), n_classes, second))


class MixtureOfExperts(keras.Model):
    """A gate sees the input and says how much each expert's logits count.

    Parameters
    ----------
    experts : list of networks
        Classifiers, each from its input to logits (B, n_classes).
    input_shapes, frozen, seed
        As in `ConcatFusion`. The gate sees all inputs.
    hidden : tuple of int
        Units of the gate's hidden layers.
    k : int, optional
        Only the k most trusted experts count; by default all.
    switch : bool
        How those k share, as in `top_k_gates`. Without it and with k = 1 the task gives the gate no gradient.
    balance : float
        Weight of `load_balancing_loss` in training.

    References
    ----------
    Jacobs et al. 1991, "Adaptive mixtures of local experts", eq. 1.1; `k` and `switch` as in `top_k_gates`.
    """

    def __init__(self, experts, input_shapes, *, hidden=(32,), k=None, switch=False, balance=0.0, frozen=False, seed=0):
        inputs, _, seen = _see(experts, input_shapes, frozen)
        k = check_mixture(k, balance, len(experts))
        flat = ops.concatenate([layers.Flatten()(x) for x in inputs], axis=1)
        scores = _Balance(k, balance)(make_mlp((flat.shape[1],), len(experts), hidden=hidden, seed=seed)(flat))
        gates, each = top_k_gates(scores, k, switch=switch), ops.stack(seen, axis=1)  # (B, experts), (B, experts, C)
        super().__init__(_as_given(inputs), ops.sum(gates[..., None] * each, axis=1))
        self._gates = _function(inputs, gates)

    def gates(self, *inputs):
        """How much each expert counts, of arrays: an array (B, experts), as `top_k_gates` gives it."""
        return self._gates(inputs)


class CrossStitch(keras.Model):
    """Experts side by side; after each of their layers they mix, by a small matrix that is learned.

    Parameters
    ----------
    experts, input_shapes, n_classes, frozen, seed
        As in `ConcatFusion`; dense networks with ReLU, whose layers have the same widths.
    keep : float
        At first each expert keeps this share of its own, and gets the rest from the others.

    References
    ----------
    Misra et al. 2016, "Cross-stitch networks for multi-task learning", eq. 1.
    """

    def __init__(self, experts, input_shapes, n_classes, *, keep=0.9, frozen=False, seed=0):
        inputs, copies, _ = _see(experts, input_shapes, frozen)
        columns = [_dense_layers(copy) for copy in copies]
        check_columns([[layer.units for layer in column] for column in columns])
        states = [layers.Flatten()(x) for x in (inputs if len(inputs) > 1 else inputs * len(experts))]
        for row in zip(*columns, strict=True):
            states = _Stitch(keep)([ops.relu(layer(x)) for layer, x in zip(row, states, strict=True)])
        super().__init__(_as_given(inputs), _linear(ops.concatenate(states, axis=1), n_classes, seed))


def top_k_gates(scores, k, *, switch=False):
    """Softmax over the k largest of the scores (B, M) in each row; the others get 0.

    With `switch` the softmax is over all scores: then the gates sum to less than 1, and even one has a gradient.

    References
    ----------
    Shazeer et al. 2017, "Outrageously large neural networks: the sparsely-gated mixture-of-experts layer", eq. 3 and 5;
    Fedus et al. 2021, "Switch transformers", eq. 2.
    """
    kept = ops.sum(ops.one_hot(ops.top_k(scores, k)[1], scores.shape[1]), axis=1)  # (B, M)
    return kept * ops.softmax(scores, axis=1) if switch else ops.softmax(ops.where(kept > 0, scores, -np.inf), axis=1)


def load_balancing_loss(scores, k=1):
    """M times the sum over experts of (share of examples sent there) * (mean softmax); 1 if both are even.

    References
    ----------
    Fedus et al. 2021, "Switch transformers: scaling to trillion parameter models with simple and efficient sparsity",
    eq. 4 to 6.
    """
    sent = ops.mean(ops.cast(top_k_gates(scores, k) > 0, "float32"), axis=0) / k  # (M,), without a gradient
    return scores.shape[1] * ops.sum(sent * ops.mean(ops.softmax(scores, axis=1), axis=0))


class _Balance(layers.Layer):
    """Passes the gate's scores on, and adds the load-balancing loss in training."""

    def __init__(self, k, weight):
        super().__init__()
        self.k, self.weight = k, weight

    def call(self, scores, training=False):
        if training and self.weight:
            self.add_loss(self.weight * load_balancing_loss(scores, self.k))
        return scores


class _Stitch(layers.Layer):
    """Mixes the states of all columns."""

    def __init__(self, keep):
        super().__init__()
        self.keep = keep

    def build(self, shapes):
        count = len(shapes)
        mixing = np.full((count, count), (1 - self.keep) / max(count - 1, 1), np.float32)
        np.fill_diagonal(mixing, self.keep if count > 1 else 1.0)
        self.mixing = self.add_weight(shape=mixing.shape, initializer=lambda shape, dtype: mixing)

    def call(self, states):
        mixed = ops.matmul(self.mixing, ops.stack(states, axis=1))  # (experts, experts) @ (B, experts, units)
        return ops.unstack(mixed, axis=1)


def _see(experts, input_shapes, frozen):
    """Inputs, copies of the experts, and what they make of the inputs: each of its own, or all of the same."""
    inputs, copies, seen = [keras.Input(tuple(shape)) for shape in input_shapes], {}, []
    for i, (expert, shape) in enumerate(zip(experts, check_fusion(experts, input_shapes), strict=True)):
        if id(expert) not in copies:
            copies[id(expert)] = keras.models.clone_model(expert)
            copies[id(expert)].set_weights(expert.get_weights())
            copies[id(expert)].trainable = not frozen
        made, x = copies[id(expert)], inputs[i if len(inputs) > 1 else 0]
        options = {"training": False} if frozen else {}
        seen.append(check_fits(partial(made, x, **options), shape))
    return inputs, [copies[id(expert)] for expert in experts], seen


def _as_given(inputs):
    """One input as itself, several as a list: so they are passed, and Keras warns of anything else."""
    return inputs if len(inputs) > 1 else inputs[0]


def _dense_layers(model):
    """The dense layers of a network; a ValueError if there is anything else in it but ReLU."""
    strange = [type(layer).__name__ for layer in model.layers
               if not isinstance(layer, (layers.Dense, layers.ReLU, layers.Flatten, layers.InputLayer))]
    if strange:
        raise ValueError(f"model: expected a network of dense layers with ReLU, as from make_mlp, got {strange}")
    return [layer for layer in model.layers if isinstance(layer, layers.Dense)]


def _linear(x, units, seed):
    return make_mlp((x.shape[1],), units, hidden=(), seed=seed)(x)


def _function(inputs, outputs):
    """A function of arrays that returns an array; not a part of the model that it looks into."""
    model = keras.Model(inputs, outputs)
    return lambda arrays: ops.convert_to_numpy(model([ops.convert_to_tensor(x, "float32") for x in arrays],
                                                     training=False))
