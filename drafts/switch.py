import sys; sys.path[:0]=['.']
import numpy as np, nbformat
from dataclasses import replace
from course_lib import use
fwn=sys.argv[1]; fw=use(fwn); nets=fw.load('networks')
from course_lib.common import data
from course_lib.networks.config import TrainingConfig
names={'np':np}; mark=f'%%{fwn}\n'
for c in nbformat.read('./notebooks/05_fusion.ipynb',4).cells:
    s=c.source
    if c.cell_type=='code' and s.startswith(mark):
        s=s.removeprefix(mark)
        if 'class Mixture' in s or s.startswith('import'): exec(s.replace('torch.manual_seed(seed)','').replace('keras.utils.set_random_seed(seed)',''), {**names} if 0 else names)
T=TrainingConfig(epochs=20, learning_rate=3e-3, l2=1e-4)
res={}
for seed in range(10):
    d=data.load('digits',seed=seed)
    for st in ((1,False,0.),(1,True,0.),(1,False,.1),(1,True,.01),(1,True,.1),(2,False,0.),(4,False,0.)):
        (names['torch'].manual_seed if fwn=='pytorch' else names['keras'].utils.set_random_seed)(seed)
        m=names['Mixture'](*st); b=m.calls(d.x_test); nets.train(m,d.x_train,d.y_train,T,seed=seed); a=m.calls(d.x_test)
        res.setdefault(st,[]).append((nets.accuracy(m,d.x_test,d.y_test), np.abs(a-b).sum()/2, a.min(), b.min()))
for k,v in res.items(): v=np.array(v); print(k,'acc',v[:,0].round(3),v[:,0].mean().round(4),'moved',v[:,1].round(2),'least after',v[:,2].round(2),'least before',v[:,3].round(2))
