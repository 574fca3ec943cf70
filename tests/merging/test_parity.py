"""The same logits give the same loss in NumPy, in PyTorch and in Keras."""

import numpy as np
import pytest

from course_lib.merging import reference

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

RNG = np.random.default_rng(0)
CLASSES, B = 3, 9
Y = RNG.integers(0, CLASSES, B)


def test_distillation_loss():
    from course_lib.merging import in_keras, in_pytorch

    logits, teacher = RNG.normal(size=(2, B, CLASSES)).astype(np.float32)
    for options in ({}, {"temperature": 1.0, "share": 0.3}):
        expected = reference.distillation_loss(logits, teacher, Y, **options)
        for twin, tensor in zip((in_pytorch, in_keras), (torch.tensor, keras.ops.convert_to_tensor), strict=True):
            found = twin.distillation_loss(tensor(logits), tensor(teacher), tensor(Y), **options)
            assert float(found) == pytest.approx(expected, abs=1e-5)
