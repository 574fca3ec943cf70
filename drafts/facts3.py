from engine import *
from facts import names
import warnings; warnings.filterwarnings('ignore')
from course_lib.common.claims import paired_difference as pd
cos=lambda u: .5*(1+np.cos(np.pi*u)); warm=lambda u: min(1,u/.1)*.5*(1+np.cos(np.pi*max(0,(u-.1)/.9))); warmc=lambda u:min(1,u/.1)
S={'constant':lambda u:1.0,'cosine':cos,'warm-up':warmc,'warm-up, cosine':warm}
rates=np.geomspace(1e-4,1,9)
for label,make in {'900 digits, 1 layer':lambda s:few_digits(s,900),'900 digits, 6 layers':lambda s:few_digits(s,900,layers=6),'names':names}.items():
    tune=[make(100+s) for s in range(6)]; test=[make(s) for s in range(12)]
    for rn,rule in dict(momentum=momentum,adam=adam).items():
        res={}
        for n,sc in S.items():
            with np.errstate(all='ignore'):
                e,_=descend(rule,tune,rates,400,every=400,schedule=sc); m=np.where(np.isfinite(e[-1]),e[-1],9e9).mean(1); b=rates[m.argmin()]
                e,_=descend(rule,test,[b],400,every=400,schedule=sc); res[n]=e[-1][0]
                big=rates[min(8,m.argmin()+1)]; e,_=descend(rule,test,[big],400,every=400,schedule=sc)
            print(label,rn,n,'best',round(b,5),res[n].mean().round(3),'a step up',np.round(np.nan_to_num(e[-1][0],nan=99).mean(),2), '' if n=='constant' else pd(res[n],res['constant']),flush=True)
# clipping
for layers,gain in ((8,1.0),(8,1.5)):
    deep=[few_digits(s,900,layers=layers,units=32,gain=gain) for s in range(12)]
    xv,yv=stacked((t.x_test,t.y_test) for t in deep)
    for rate in (.005,.01,.02,.05):
        out={}
        for n,k in {'none':{}, 'norm 1':{'max_norm':np.full(12,1.)}, 'value .01':{'max_value':np.full(12,.01)}}.items():
            runs=nets.TrainingRuns(stacked(t.weights for t in deep),momentum=0.9); rng=np.random.default_rng(0)
            with np.errstate(all='ignore'):
                for _ in range(20):
                    x,y=batches(deep,rng,20,16); _,g=runs.train(x,y,np.full(12,rate),**k)
            out[n]=100*runs.evaluate(xv,yv)[1]
        print(layers,gain,rate,{n:v.mean().round(1) for n,v in out.items()}, pd(out['norm 1'],out['none']))
