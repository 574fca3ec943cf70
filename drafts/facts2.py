from engine import *
from facts import names
import warnings; warnings.filterwarnings('ignore')
from course_lib.common.claims import paired_difference as pd
from course_lib.training.reference import dropout_masks
from scipy.ndimage import map_coordinates
def shifted(images, rng, far=0.5):
    flat = images.reshape(-1, 8, 8)
    down, right = rng.uniform(-far, far, size=(2, len(flat), 1, 1))
    image, row, column = np.indices(flat.shape)
    return map_coordinates(flat, [image, row + down, column + right], order=1, mode="grid-constant", cval=flat.min()).reshape(images.shape)
def try_out(tasks, ways, rate=0.03, steps=400, seed=0):
    each=[t for _ in ways for t in tasks]; K=len(each)
    of=lambda n: np.repeat([float(w.get(n,0)) for w in ways.values()],len(tasks))
    xv,yv,xt,yt=stacked((t.x_val,t.y_val,t.x_test,t.y_test) for t in each)
    runs=nets.TrainingRuns(stacked(t.weights for t in each),momentum=0.9); rng=np.random.default_rng(seed)
    drop,mv,decay=of('dropout'),of('shift')>0,of('decay'); best=np.full(K,np.inf); keep=[None]*K; seen=[]
    kern=np.concatenate([np.full(p[0].size,p.ndim==3) for p in stacked(t.weights for t in each)])
    for _ in range(steps//20):
        x,y=batches(each,rng,20,16)
        if mv.any(): x[:,mv]=shifted(x[:,mv],rng)
        kept=dropout_masks(rng,drop,(*x.shape[:3],64))
        tl,_=runs.train(x,y,np.full(K,rate),kept=kept,l1=of('l1'),l2=of('l2'))
        if decay.any(): runs.state[0]=(runs.state[0]*(1-np.outer(20*rate*decay,kern))).astype(np.float32)
        v=runs.evaluate(xv,yv)[0]; t=runs.evaluate(xt,yt)
        seen.append([tl,v,*t])
    seen=np.array(seen).reshape(-1,4,len(ways),len(tasks))
    return {n:seen[:,:,i] for i,n in enumerate(ways)}   # looks,4,tasks
GRID={'none':[{}],'L1':[{'l1':a} for a in (3e-4,1e-3,3e-3)],'L2':[{'l2':a} for a in (1e-3,3e-3,1e-2,3e-2)],'dropout':[{'dropout':a} for a in (.2,.5,.7)],'shift':[{'shift':.5}]}
for label,make in dict(d60=lambda s:few_digits(s,60),d900=lambda s:few_digits(s,900),names=names).items():
    tune=[make(100+s) for s in range(8)]; test=[make(s) for s in range(12)]
    steps={'d60':400,'d900':1000,'names':400}[label]; rate={'d60':.01,'d900':.03,'names':.003}[label]
    ways={f'{n}|{i}':w for n,ws in GRID.items() for i,w in enumerate(ws) if not (n=='shift' and label=='names')}
    r=try_out(tune,ways,rate,steps)
    best={}
    for n in GRID:
        c=[k for k in r if k.split('|')[0]==n]
        if c: best[n]=min(c,key=lambda k:r[k][-1,1].mean())
    print(label,{n:ways[k] for n,k in best.items()})
    f=try_out(test,{n:ways[k] for n,k in best.items()},rate,steps)
    for n in f: print('  ',n,'train',f[n][-1,0].mean().round(4),'val',f[n][-1,1].mean().round(3),'test loss',f[n][-1,2].mean().round(3),'acc',f[n][-1,3].mean().round(3), 'loss - none',pd(f[n][-1,2],f['none'][-1,2]),'points',pd(100*f[n][-1,3],100*f['none'][-1,3]))
    stop=f['none'][:,1].argmin(0); i=np.arange(12)
    print('   early stop at look',stop,'loss',pd(f['none'][stop,2,i],f['none'][-1,2]),'points',pd(100*f['none'][stop,3,i],100*f['none'][-1,3]),flush=True)
