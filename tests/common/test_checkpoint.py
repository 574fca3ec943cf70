import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from course_lib.common import checkpoint

ROOT = Path(__file__).resolve().parents[2]


def same(a, b):
    """Equal in type, dtype, shape and bits."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b))


STATE = {
    "weights": [np.arange(6, dtype=np.float32).reshape(2, 3), np.array([np.nan, -0.0, np.inf])],
    "empty": {"array": np.zeros((0, 4), np.int8), "list": [], "dict": {}, "text": ""},
    "scalars": [np.float32(0.1), np.int64(-7), np.bool_(True), np.array(3.0, np.float16)],
    "plain": [True, False, None, 1, -(2**200), 0.1, 1e-320, float("nan"), float("-inf"), "naïve ✓"],
    "dict": {"array": "a0", "scalar": 1}, "text": np.array(["a", "bcd"]),
    "big-endian": np.array([1, 2], ">i4"), "transposed": np.asfortranarray(np.arange(4.0).reshape(2, 2)),
    "rng": np.random.default_rng(3).bit_generator.state,
    "mt": {"key": np.random.RandomState(0).get_state()[1]},
}


def test_round_trip_keeps_every_type_dtype_shape_and_bit(tmp_path):
    path = tmp_path / "run.ckpt"
    checkpoint.save(path, STATE)
    loaded = checkpoint.load(path)
    assert same(loaded, STATE)
    assert not same(loaded, {**STATE, "plain": [1]})  # the comparison can fail
    assert os.listdir(tmp_path) == ["run.ckpt"]


def test_a_generator_continues_where_it_was(tmp_path):
    rng = np.random.default_rng(5)
    rng.random(10)
    checkpoint.save(tmp_path / "rng", rng.bit_generator.state)
    expected = rng.random(3)
    again = np.random.default_rng()
    again.bit_generator.state = checkpoint.load(tmp_path / "rng")
    assert again.random(3).tolist() == expected.tolist()


@pytest.mark.parametrize("value, where", [
    ({"a": (1, 2)}, r"state\['a'\]"), ({1: 2}, "keys"), ([1, {"b": {3}}], r"state\[1\]\['b'\]"),
    (np.array([None]), "dtype"), (object(), "object"), (2j, "complex"),
])
def test_what_would_not_come_back_the_same_is_refused_and_the_old_file_stays(value, where, tmp_path):
    path = tmp_path / "run.ckpt"
    checkpoint.save(path, 1)
    with pytest.raises(ValueError, match=where):
        checkpoint.save(path, value)
    assert checkpoint.load(path) == 1
    assert os.listdir(tmp_path) == ["run.ckpt"]


def test_a_failure_while_writing_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "run.ckpt"
    checkpoint.save(path, "old")

    def full_disk(file, **arrays):
        file.write(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.raises(OSError, match="space"):
        checkpoint.save(path, "new")
    assert checkpoint.load(path) == "old"
    assert os.listdir(tmp_path) == ["run.ckpt"]


def test_a_truncated_file_is_refused_at_any_length(tmp_path):
    path = tmp_path / "run.ckpt"
    checkpoint.save(path, STATE)
    whole = path.read_bytes()
    for length in [0, 1, 100, len(whole) // 2, len(whole) - 30, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="run.ckpt is not a whole checkpoint.*earlier checkpoint"):
            checkpoint.load(path)


def test_a_damaged_file_is_refused_or_unchanged_in_content(tmp_path):
    path = tmp_path / "run.ckpt"
    checkpoint.save(path, STATE)
    whole, rng, refused = path.read_bytes(), np.random.default_rng(0), 0
    for position in rng.integers(0, len(whole), 300):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            assert same(checkpoint.load(path), STATE)  # a time stamp in the zip file, say
        except ValueError as error:
            assert "not a whole checkpoint" in str(error)
            refused += 1
    assert refused > 100


def test_foreign_files_are_refused(tmp_path):
    path = tmp_path / "foreign"
    other = np.frombuffer(b'{"format": "other", "state": 1}', np.uint8)
    writers = [lambda file: file.write(b"hello"), lambda file: np.savez(file, x=np.ones(3)),
               lambda file: np.save(file, np.ones(3)), lambda file: np.savez(file, tree=other)]
    for write in writers:
        with open(path, "wb") as file:
            write(file)
        with pytest.raises(ValueError, match="not a whole checkpoint"):
            checkpoint.load(path)
    with pytest.raises(FileNotFoundError):
        checkpoint.load(tmp_path / "none")


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_killed_at_any_moment_the_file_is_whole(tmp_path):
    path = tmp_path / "run.ckpt"
    code = ("import sys, numpy as np; from course_lib.common import checkpoint\n"
            "i = 0\n"
            "while True:\n"
            "    i += 1\n"
            "    checkpoint.save(sys.argv[1], {'i': i, 'x': np.full(300_000, i)})\n")
    rng, last = np.random.default_rng(0), 0
    for _ in range(6):
        process = subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=ROOT)
        try:
            before = path.stat().st_mtime_ns if path.exists() else 0
            deadline = time.monotonic() + 60
            while not path.exists() or path.stat().st_mtime_ns == before:  # it has started to save
                assert time.monotonic() < deadline and process.poll() is None
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.05))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        state = checkpoint.load(path)
        assert state["i"] >= 1 and (state["x"] == state["i"]).all()
        last = max(last, state["i"])
    assert last > 1  # it was killed among many saves, not before the second
