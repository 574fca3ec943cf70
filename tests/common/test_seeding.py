import random
import subprocess
import sys

import numpy as np
import pytest

from course_lib.common.seeding import seed_everything, spawn


def test_spawned_seeds_are_fixed_by_the_seed_and_do_not_depend_on_how_many():
    assert spawn(0, 2) == [3757552657, 673228719]
    assert spawn(0, 5)[:2] == spawn(0, 2)


def test_spawned_seeds_differ_among_runs_and_seeds():
    seeds = spawn(0, 50) + spawn(1, 50)
    assert len(set(seeds)) == 100
    assert all(type(s) is int and 0 <= s < 2**32 for s in seeds)


def draws(framework, seed):
    seed_everything(seed, framework)
    if framework == "pytorch":
        import torch

        drawn = torch.rand(3).tolist()
    else:
        import keras

        drawn = keras.ops.convert_to_numpy(keras.random.uniform((3,))).tolist()
    return random.random(), np.random.rand(), drawn


@pytest.mark.parametrize("framework, module", [("pytorch", "torch"), ("keras", "keras")])
def test_seed_everything_fixes_every_global_generator(framework, module):
    pytest.importorskip(module)
    code = ("import sys; sys.path.insert(0, sys.argv[1]); from test_seeding import draws\n"
            "a, b, c = (draws(sys.argv[2], seed) for seed in (1, 1, 2))\n"
            "assert a == b and all(x != y for x, y in zip(a, c))")
    folder = __file__.rsplit("test_seeding.py", 1)[0]
    subprocess.run([sys.executable, "-c", code, folder, framework], check=True, cwd=folder + "../..")


@pytest.mark.parametrize("seed, framework", [(-1, "pytorch"), (2**32, "keras"), (0, "jax")])
def test_bad_arguments(seed, framework):
    with pytest.raises(ValueError, match="expected"):
        seed_everything(seed, framework)
