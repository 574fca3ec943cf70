import sys; sys.path[:0]=['.']
import re, numpy as np, time
src=open('drafts/s1.txt').read()
cells=[c.split('\n',1) for c in re.split(r'(?m)^#%% ',src)[1:]]
fw=sys.argv[1]
ns={}
exec('''
import numpy as np
from course_lib.recommendation import splits, metrics, reference
from course_lib.recommendation.log import simulate_log, DAY
from course_lib.common.claims import paired_difference
from course_lib.networks.config import TrainingConfig
import importlib
recommendation=importlib.import_module("course_lib.recommendation.in_%s"); nets=importlib.import_module("course_lib.networks.in_%s")
seed=0
'''%(fw,fw),ns)
for h,s in cells:
    if h.startswith('md') or 'check(' in s: continue
    if s.startswith('%%'):
        if not s.startswith('%%'+fw): continue
        s=s.split('\n',1)[1]
    t=time.time(); exec(s,ns); print(h.split()[1], round(time.time()-t,1), flush=True)
