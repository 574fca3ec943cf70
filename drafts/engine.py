"""NumPy rules on flat weights, gradients of stacked networks by PyTorch: what lesson 09 may show"""
import sys; sys.path[:0] = ['.']
import numpy as np, time
from sklearn.datasets import load_digits
from course_lib.networks import in_pytorch as nets
from course_lib.training.tasks import batches, first_weights, Task
from course_lib.networks import side_by_side
from course_lib.networks.side_by_side import _flat
def measured(self, now, x, y):
    found, grads = self._gradients(lambda *w: self.loss(self._forward(w, x), y), *self._parts(now, self._ops))
    return found, _flat(grads, self._ops)
side_by_side.Runs.gradients = lambda self, x, y: self._run(lambda *a: measured(self,*a), self.state[0], np.asarray(x,np.float32), np.asarray(y))
def few_digits(s, count=60, layers=1, units=64, gain=1.0):
    rng, (x, y) = np.random.default_rng(s), load_digits(return_X_y=True)
    x, order = ((x - x.mean()) / x.std()).astype(np.float32), rng.permutation(len(x))
    train, val, test = order[800:800+count], order[:300], order[300:800]
    weights = [gain * part if part.ndim == 2 else part for part in first_weights(rng, [64, *[units] * layers, 10])]
    return Task("digits", x[train], y[train], x[val], y[val], x[test], y[test], weights)
def stacked(parts): return [np.stack(e) for e in zip(*parts, strict=True)]
# rules: (g, w, s, t) -> step without rate
def sgd(s, g, w, t): return g
def momentum(s, g, w, t):
    s["m"] = 0.9 * s.get("m", 0) + g; return s["m"]
def rmsprop(s, g, w, t):
    s["v"] = 0.9 * s.get("v", 0) + 0.1 * g**2; return g / (s["v"]**0.5 + 1e-8)
def adam(s, g, w, t):
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g; s["v"] = 0.999 * s.get("v", 0) + 0.001 * g**2
    return s["m"] / (1 - 0.9**t) / ((s["v"] / (1 - 0.999**t))**0.5 + 1e-8)
def adamw(decay):
    def rule(s,g,w,t): return adam(s,g,w,t)+decay*w
    return rule
def dowg(s, g, w, t):
    if t == 1: s.update(start=w.copy(), far=np.full((len(w),1),1e-4), v=np.zeros((len(w),1)))
    s["far"]=np.maximum(s["far"], np.linalg.norm(w-s["start"],axis=1,keepdims=True))
    s["v"]=s["v"]+s["far"]**2*(g**2).sum(1,keepdims=True)
    return s["far"]**2/np.sqrt(s["v"]+1e-12)*g
def dog(s, g, w, t):
    if t == 1: s.update(start=w.copy(), far=np.full((len(w),1),1e-4), v=np.zeros((len(w),1)))
    s["far"]=np.maximum(s["far"], np.linalg.norm(w-s["start"],axis=1,keepdims=True))
    s["v"]=s["v"]+(g**2).sum(1,keepdims=True)
    return s["far"]/np.sqrt(s["v"]+1e-12)*g
def prodigy(s, g, w, t, b1=0.9, b2=0.999):
    if t == 1: s.update(start=w.copy(), d=np.full((len(w),1),1e-6), m=0*w, v=0*w, r=np.zeros((len(w),1)), q=0*w)
    d=s["d"]
    s["m"]=b1*s["m"]+(1-b1)*d*g; s["v"]=b2*s["v"]+(1-b2)*(d*g)**2
    b=b2**0.5
    s["r"]=b*s["r"]+(1-b)*d**2*(g*(s["start"]-w)).sum(1,keepdims=True)
    s["q"]=b*s["q"]+(1-b)*d**2*g
    s["d"]=np.maximum(d, s["r"]/np.abs(s["q"]).sum(1,keepdims=True))
    return d*s["m"]/(np.sqrt(s["v"])+d*1e-8)
def descend(rule, tasks, rates, steps, seed=0, schedule=lambda share:1.0, every=20, batch=16):
    each=[t for _ in rates for t in tasks]; rate=np.repeat(rates,len(tasks))[:,None]
    runs=nets.TrainingRuns(stacked(t.weights for t in each))
    xv,yv=stacked((t.x_val,t.y_val) for t in each)
    rng,s,seen=np.random.default_rng(seed),{},[]
    x,y=batches(each,rng,steps,batch)
    for k in range(steps):
        loss,g=runs.gradients(x[k],y[k])
        w=runs.state[0]
        runs.state[0]=(w-rate*schedule(k/steps)*rule(s,g,w,k+1)).astype(np.float32)
        if (k+1)%every==0: seen.append(runs.evaluate(xv,yv)[0].reshape(len(rates),len(tasks)))
    return np.array(seen), runs
if __name__=='__main__':
    tasks=[few_digits(s) for s in range(5)]
    rates=np.geomspace(1e-4,1,9)
    with np.errstate(all='ignore'):
      for name,rule in dict(sgd=sgd,momentum=momentum,rmsprop=rmsprop,adam=adam).items():
        t=time.process_time(); e,_=descend(rule,tasks,rates,200); print(name, np.round(e[-1].mean(1),2), 'min over time', np.round(e.min(0).mean(1),2), round(time.process_time()-t,1),flush=True)
      for name,rule in dict(dowg=dowg,dog=dog,prodigy=prodigy).items():
        e,_=descend(rule,tasks,[1.0],200); print(name, np.round(e[-1].mean(1),3), np.round(e.min(0).mean(1),3))
      cos=lambda u: .5*(1+np.cos(np.pi*u))
      for name,rule in dict(sgd=sgd,adam=adam,prodigy=prodigy).items():
        e,_=descend(rule,tasks,rates if name!='prodigy' else [1.0],200,schedule=cos); print('cosine',name, np.round(e[-1].mean(1),2))
