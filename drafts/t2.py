import sys; sys.path[:0]=['.']
import re, numpy as np, time
fw=sys.argv[1]
ns={}
exec('''
import numpy as np
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.policies import OracleMyopic, Random, contexts
from course_lib.recommendation.shop import simulate_catalog, sigmoid
from course_lib.dqn.loop import evaluate
seed=0
from course_lib.common.claims import paired_difference
''',ns)
if fw=="pytorch": exec("import torch\nfrom torch import nn\nfrom torch.nn import functional as F",ns)
else: exec("import keras\nfrom keras import layers, ops",ns)
for f in ('s2','s3','s4'):
    for c in re.split(r'(?m)^#%% ',open(f'drafts/{f}.txt').read())[1:]:
        h,s=c.split('\n',1)
        if h.startswith('md') or 'check(' in s or 'plotting' in s or 'studies' in s or h.startswith(('code live','code prom','code two')): continue
        if s.startswith('%%'):
            if not s.startswith('%%'+fw): continue
            s=s.split('\n',1)[1]
        exec(s,ns)
exec('''
import time
t=time.time(); coef=linucb(RecommendationVectorEnv(known),0.3); print("linucb", time.time()-t, reward_of(Linear(coef)))
print("oracle", reward_of(OracleMyopic), "random", reward_of(Random(48,seed=0)))
class Act:
    def __init__(self,l): self.l=l
    def act(self,obs): return self.l.q_values(np.asarray(obs,"float32")).argmax(axis=1)
for gamma in (0.97,0.0):
    t=time.time(); l=learn(Learner(known,gamma),RecommendationVectorEnv(known,num_envs=128)); print(gamma, time.time()-t, reward_of(Act(l)), flush=True)
''',ns)
