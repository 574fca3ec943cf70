import sys, time; sys.path[:0]=['.']
import numpy as np, torch; torch.set_num_threads(1)
from course_lib.common import data
from course_lib.common.bandits import LinearBandit, play
from course_lib.networks import in_pytorch as nets
from course_lib.networks.config import TrainingConfig
from course_lib.dqn import in_pytorch as dqn
from course_lib.dqn.config import DQNConfig
from course_lib.fusion import outputs
from course_lib.fusion.env import ExpertChoiceEnv
from course_lib.fusion.reference import softmax
from sklearn.model_selection import train_test_split
T=TrainingConfig(epochs=30, learning_rate=3e-3, l2=1e-4)
CH=DQNConfig(hidden=(64,), learning_rate=1e-3, gamma=0.0, n_step=1, double=False, scale_obs=False, warmup_steps=1000, epsilon_end=0.1, epsilon_steps=5000, total_steps=20000, eval_every=1_000_000)
def moved(x):
    o=np.zeros_like(x); o[:,:,2:]=x[:,:,:-2]; return o
def tabular(states, rewards, tries, rng, rate=0.1, epsilon=0.1, size=100):
    q=np.full((size,2),.5)
    for row in rng.integers(len(states), size=tries):
        s=states[row]; a = rng.integers(2) if rng.random()<epsilon else q[s].argmax()
        q[s,a]+=rate*(rewards[row,a]-q[s,a])
    return q
allr={}
for seed in range(4):
    t0=time.time()
    d=data.load('digits',seed=seed)
    xa,xb,ya,yb=train_test_split(d.x_train,d.y_train,test_size=.5,random_state=seed,stratify=d.y_train)
    rng=np.random.default_rng(seed)
    E=[]
    for m,x in enumerate((xa,moved(xa))):
        n=nets.make_mlp((8,8),10,hidden=(64,),seed=2*seed+m); nets.train(n,x,ya,T,seed=seed); E.append(n)
    worlds=[]
    for x,y in ((xb,yb),(d.x_test,d.y_test)):
        other=rng.random(len(x))<.5; im=np.where(other[:,None,None],moved(x),x); worlds.append((outputs.opinions(nets,E,[im]*2),y,im,other))
    (pc,yc,ic,oc),(pt,yt,it,ot)=worlds
    env,test=(ExpertChoiceEnv(p,y) for p,y in ((pc,yc),(pt,yt)))
    R,Rt=env.rewards(),test.rewards(); n=np.arange(len(yt)); out={}
    out['home']=np.where(ot,Rt[:,1],Rt[:,0]).mean(); out['abroad']=np.where(ot,Rt[:,0],Rt[:,1]).mean()
    out['best fixed']=Rt[:,R.mean(0).argmax()].mean(); out['surer']=Rt[n,pt.max(2).argmax(0)].mean(); out['product']=(outputs.product_of_experts(pt).argmax(1)==yt).mean()
    a,at=pc.argmax(2),pt.argmax(2)
    for tries in (1000,20000):
        q=tabular(a[0],R,tries,np.random.default_rng(seed)); out[f'table 10, {tries}']=Rt[n,q[at[0]].argmax(1)].mean()
        q=tabular(a[0]*10+a[1],R,tries,np.random.default_rng(seed)); out[f'table 100, {tries}']=Rt[n,q[at[0]*10+at[1]].argmax(1)].mean()
    ctx,ask=(np.column_stack([e.observations(),np.ones(len(e.y))])[:,None] for e in (env,test))
    rows=np.random.default_rng(seed).integers(len(ctx),size=1000)
    for name,o in (('eps-greedy',dict(width=0.,epsilon=.1)),('LinUCB',dict(width=.3))):
        b=LinearBandit(ctx.shape[2],models=2,seed=seed,**o); play(b,ctx[rows],R[rows]); out[name]=Rt[n,b.greedy().choose(ask)].mean()
    t1=time.time()
    from dataclasses import replace
    for steps in (20000,):
        ag=dqn.train(env.copies(16),replace(CH,total_steps=steps),seed=seed,eval_env=False).agent; out[f'DQN {steps}']=Rt[n,ag.act(test.observations())].mean()
    t2=time.time()
    judge=nets.make_mlp(env.observation_space.shape,2,hidden=(64,),seed=seed); nets.train(judge,env.observations(),R,T,seed=seed,loss=nets.squared_error)
    out['all rewards']=Rt[n,nets.predict(judge,test.observations()).argmax(1)].mean()
    whole=nets.make_mlp((8,8),10,hidden=(64,),seed=seed); 
    nets.train(whole,ic,yc,T,seed=seed); out['one net on the choosing images']=nets.accuracy(whole,it,yt)
    whole=nets.make_mlp((8,8),10,hidden=(128,),seed=seed); nets.train(whole,np.concatenate([xa,moved(xa),ic]),np.concatenate([ya,ya,yc]),T,seed=seed); out['one net, all']=nets.accuracy(whole,it,yt)
    out['oracle']=Rt.max(1).mean(); print(seed, round(time.time()-t0,1), 'dqn', round(t2-t1,1))
    for k,v in out.items(): allr.setdefault(k,[]).append(v)
for k,v in allr.items(): print(f'{k:32}', np.round(v,3), round(float(np.mean(v)),3))
