"""Networks that fuse what other networks see, in PyTorch; `in_keras` is the same file in Keras."""

from __future__ import annotations

import copy
import math
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.fusion.inputs import check_columns, check_fits, check_fusion, check_mixture, check_trunk, seeds_of
from course_lib.networks.in_pytorch import make_mlp

__all__ = ["AttentionFusion", "ConcatFusion", "CrossStitch", "GatedFusion", "MixtureOfExperts", "SharedTrunk",
           "features", "load_balancing_loss", "top_k_gates"]


def features(nets):
    """A classifier without its last layer: what it has seen before it decides. It shares the weights."""
    return nn.Sequential(*list(nets)[:-1])


class ConcatFusion(nn.Module):
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
        super().__init__()
        self.experts = _Experts(experts, input_shapes, frozen)
        self.head = make_mlp((sum(self.experts.sizes),), n_classes, hidden=hidden, seed=seed)

    def forward(self, *inputs):
        """Logits (B, n_classes)."""
        return self.head(torch.cat(self.experts(*inputs), dim=1))


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


class GatedFusion(nn.Module):
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
        super().__init__()
        self.experts = _Experts(experts, input_shapes, frozen)
        sizes, (first, second, *seeds) = self.experts.sizes, seeds_of(seed, 2 + len(self.experts.sizes))
        self.branches = nn.ModuleList(_linear(size, units, own) for size, own in zip(sizes, seeds, strict=True))
        self.gate = _linear(sum(sizes), len(sizes) * units, first)
        self.head = _linear(units, n_classes, second)

    def forward(self, *inputs):
        """Logits (B, n_classes)."""
        gates, hidden = self._mix(inputs)
        return self.head((gates * hidden).sum(dim=1))

    @torch.no_grad()
    def gates(self, *inputs):
        """How much of each expert each neuron takes, of arrays: an array (B, experts, units), of sum 1 over experts."""
        return self.eval()._mix(_tensors(inputs))[0].numpy()

    def _mix(self, inputs):
        seen = self.experts(*inputs)
        hidden = torch.stack([torch.tanh(branch(x)) for branch, x in zip(self.branches, seen, strict=True)], dim=1)
        scores = self.gate(torch.cat(seen, dim=1)).reshape(hidden.shape)  # (B, experts, units)
        return scores.softmax(dim=1), hidden


class AttentionFusion(nn.Module):
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
        super().__init__()
        self.experts = _Experts(experts, input_shapes, frozen)
        sizes, (first, second, *seeds) = self.experts.sizes, seeds_of(seed, 2 + 2 * len(self.experts.sizes))
        self.query = _linear(sum(sizes), units, first)
        self.head = _linear(units, n_classes, second)
        self.keys = nn.ModuleList(_linear(size, units, own) for size, own in zip(sizes, seeds[::2], strict=True))
        self.values = nn.ModuleList(_linear(size, units, own) for size, own in zip(sizes, seeds[1::2], strict=True))

    def forward(self, *inputs):
        """Logits (B, n_classes)."""
        seen = self.experts(*inputs)
        query = self.query(torch.cat(seen, dim=1))  # (B, units)
        keys, values = (torch.stack([layer(x) for layer, x in zip(layers, seen, strict=True)], dim=1)
                        for layers in (self.keys, self.values))  # (B, experts, units)
        weights = ((keys * query[:, None]).sum(dim=2) / math.sqrt(query.shape[1])).softmax(dim=1)
        return self.head((weights[..., None] * values).sum(dim=1))


class MixtureOfExperts(nn.Module):
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
        super().__init__()
        self.experts, self.switch = _Experts(experts, input_shapes, frozen), switch
        self.k, self.balance, self.auxiliary_loss = check_mixture(k, balance, len(experts)), balance, 0.0
        inputs = sum(math.prod(shape) for shape in input_shapes)
        self.gate = make_mlp((inputs,), len(experts), hidden=hidden, seed=seed)

    def forward(self, *inputs):
        """Logits (B, n_classes)."""
        scores, each = self._scores(inputs), torch.stack(self.experts(*inputs), dim=1)  # (B, experts), (B, experts, C)
        balanced = self.balance and self.training
        self.auxiliary_loss = self.balance * load_balancing_loss(scores, self.k) if balanced else 0.0
        return (top_k_gates(scores, self.k, switch=self.switch)[..., None] * each).sum(dim=1)

    @torch.no_grad()
    def gates(self, *inputs):
        """How much each expert counts, of arrays: an array (B, experts), as `top_k_gates` gives it."""
        return top_k_gates(self.eval()._scores(_tensors(inputs)), self.k, switch=self.switch).numpy()

    def _scores(self, inputs):
        return self.gate(torch.cat([x.flatten(1) for x in inputs], dim=1))


class CrossStitch(nn.Module):
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
        super().__init__()
        self.experts, count = _Experts(experts, input_shapes, frozen), len(experts)
        self.columns = [_dense_layers(expert) for expert in self.experts.members]
        check_columns([[layer.out_features for layer in column] for column in self.columns])
        share = (1 - keep) / max(count - 1, 1)
        mixing = torch.full((count, count), share).fill_diagonal_(keep if count > 1 else 1.0)
        self.stitches = nn.ParameterList(nn.Parameter(mixing.clone()) for _ in self.columns[0])
        self.head = _linear(sum(self.experts.sizes), n_classes, seed)

    def forward(self, *inputs):
        """Logits (B, n_classes)."""
        states = [x.flatten(1) for x in self.experts.each(inputs)]
        for layers, stitch in zip(zip(*self.columns, strict=True), self.stitches, strict=True):
            hidden = torch.stack([F.relu(layer(x)) for layer, x in zip(layers, states, strict=True)], dim=1)
            states = list((stitch @ hidden).unbind(dim=1))  # (experts, experts) @ (B, experts, units)
        return self.head(torch.cat(states, dim=1))


def top_k_gates(scores, k, *, switch=False):
    """Softmax over the k largest of the scores (B, M) in each row; the others get 0.

    With `switch` the softmax is over all scores: then the gates sum to less than 1, and even one has a gradient.

    References
    ----------
    Shazeer et al. 2017, "Outrageously large neural networks: the sparsely-gated mixture-of-experts layer", eq. 3 and 5;
    Fedus et al. 2021, "Switch transformers", eq. 2.
    """
    kept = torch.zeros_like(scores).scatter(1, scores.topk(k, dim=1).indices, 1.0)
    return kept * scores.softmax(dim=1) if switch else scores.masked_fill(kept == 0, -torch.inf).softmax(dim=1)


def load_balancing_loss(scores, k=1):
    """M times the sum over experts of (share of examples sent there) * (mean softmax); 1 if both are even.

    References
    ----------
    Fedus et al. 2021, "Switch transformers: scaling to trillion parameter models with simple and efficient sparsity",
    eq. 4 to 6.
    """
    sent = (top_k_gates(scores, k) > 0).float().mean(dim=0) / k  # (M,), without a gradient
    return scores.shape[1] * (sent * scores.softmax(dim=1).mean(dim=0)).sum()


class _Experts(nn.Module):
    """Copies of experts, each with its own input, or all with the same."""

    def __init__(self, experts, input_shapes, frozen):
        super().__init__()
        shapes = check_fusion(experts, input_shapes)
        self.members, self.frozen = nn.ModuleList(copy.deepcopy(list(experts))), frozen
        self.inputs = len(input_shapes)
        self.members.requires_grad_(not frozen)
        with torch.no_grad():
            self.sizes = [check_fits(partial(expert.eval(), torch.zeros(1, *shape)), shape).shape[1]
                          for expert, shape in zip(self.members, shapes, strict=True)]

    def forward(self, *inputs):
        return [expert(x) for expert, x in zip(self.members, self.each(inputs), strict=True)]

    def each(self, inputs):
        """An input for each expert."""
        if len(inputs) != self.inputs:
            raise ValueError(f"inputs: expected {self.inputs}, as many as input_shapes, got {len(inputs)}")
        return inputs * len(self.members) if len(inputs) == 1 else inputs

    def train(self, mode=True):
        return super().train(mode and not self.frozen)


def _dense_layers(model):
    """The dense layers of a network; a ValueError if there is anything else in it but ReLU."""
    strange = [type(layer).__name__ for layer in model.children()
               if not isinstance(layer, (nn.Linear, nn.ReLU, nn.Flatten))]
    if strange:
        raise ValueError(f"model: expected a network of dense layers with ReLU, as from make_mlp, got {strange}")
    return [layer for layer in model.children() if isinstance(layer, nn.Linear)]


def _linear(inputs, units, seed):
    return make_mlp((inputs,), units, hidden=(), seed=seed)[1]


def _tensors(inputs):
    return [torch.as_tensor(x, dtype=torch.float32) for x in inputs]
