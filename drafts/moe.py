import sys, time; sys.path[:0]=['.']
import numpy as np, torch; torch.set_num_threads(1)
from torch import nn
from torch.nn import functional as F
from course_lib.common import data
class Mixture(nn.Module):
    def __init__(self, k=1, switch=False, balance=0.0, M=4, units=16):
        super().__init__()
        self.experts = nn.ModuleList(nn.Sequential(nn.Flatten(), nn.Linear(64, units), nn.ReLU(), nn.Linear(units, 10)) for _ in range(M))
        self.gate = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, M)); self.k, self.switch, self.balance = k, switch, balance
    def gates(self, scores):
        values, kept = scores.topk(self.k, dim=1)
        chosen = torch.full_like(scores, -torch.inf).scatter(1, kept, values)
        if self.switch: return scores.softmax(1) * (chosen > -torch.inf)
        return chosen.softmax(1)
    def forward(self, x):
        scores = self.gate(x); g = self.gates(scores)
        sent = (g > 0).float().mean(0)/self.k
        self.extra = self.balance * scores.shape[1] * (sent.detach() * scores.softmax(1).mean(0)).sum()
        each = torch.stack([e(x) for e in self.experts], 1)   # logits
        return (g[..., None]*each).sum(1)
def train(m, x, y, seed, epochs=20):
    opt = torch.optim.Adam(m.parameters(), 3e-3); rng=np.random.default_rng(seed)
    for _ in range(epochs):
        for r in np.array_split(rng.permutation(len(y)), len(y)//32):
            loss = F.cross_entropy(m(torch.as_tensor(x[r])), torch.as_tensor(y[r])) + m.extra
            opt.zero_grad(); loss.backward(); opt.step()
res={}
for seed in range(5):
    d=data.load('digits',seed=seed)
    for name,kw in {'k1':dict(), 'k1 bal':dict(balance=.1), 'switch':dict(switch=True),'switch bal .01':dict(switch=True,balance=.01),'switch bal .1':dict(switch=True,balance=.1),'k2':dict(k=2),'k4':dict(k=4), 'one of 16':dict(M=1), 'one of 64':dict(M=1,units=64)}.items():
        torch.manual_seed(seed); m=Mixture(**kw); x0=torch.as_tensor(d.x_test)
        with torch.no_grad(): b=(m.gates(m.gate(x0))>0).float().mean(0)/m.k
        train(m,d.x_train,d.y_train,seed)
        with torch.no_grad():
            acc=(m(x0).argmax(1).numpy()==d.y_test).mean(); a=(m.gates(m.gate(x0))>0).float().mean(0)/m.k
        res.setdefault(name,[]).append((acc, float((a-b).abs().sum()/2), float(a.min())))
for k,v in res.items(): print(k, 'acc', np.round([r[0] for r in v],3), round(float(np.mean([r[0] for r in v])),4), 'moved', np.round(np.mean([r[1] for r in v]),2), 'min share', np.round([r[2] for r in v],2))
