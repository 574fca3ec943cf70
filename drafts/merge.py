"""merge per-framework studies: NAME pytorch_clone keras_clone NOTE"""
import sys, json; sys.path[:0]=['.','./benchmarks']
from course_lib.common import studies
from pathlib import Path
import study as S
name, a, b, note = sys.argv[1:5]
one, two = (studies.load(name, folder=Path(x)/'data/studies') for x in (a,b))
shared=[r for r in one.rows if r.get('objective') in ('real images','noise')]
rows=one.rows+two.rows
S.write(studies.Study(**{**vars(one), 'rows': rows, 'note': note, 'canary': {**one.canary, **two.canary}}))
print(name, len(rows), one.measured_at, two.measured_at, list({**one.canary, **two.canary}))
