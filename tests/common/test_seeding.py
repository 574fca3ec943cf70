from course_lib.common.seeding import spawn


def test_spawned_seeds_are_fixed_by_the_seed_and_do_not_depend_on_how_many():
    assert spawn(0, 2) == [3757552657, 673228719]
    assert spawn(0, 5)[:2] == spawn(0, 2)


def test_spawned_seeds_differ_among_runs_and_seeds():
    seeds = spawn(0, 50) + spawn(1, 50)
    assert len(set(seeds)) == 100
    assert all(type(s) is int and 0 <= s < 2**32 for s in seeds)
