import sys; sys.path[:0]=['.']
import numpy as np
from scipy.stats import spearmanr
from course_lib.recommendation.ranking import Pages
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.shop import ShopConfig, simulate_catalog
from course_lib.common.claims import paired_difference
def one(seed,visitors=20000):
    cat=simulate_catalog(60,seed=seed).take(slice(48)); rng=np.random.default_rng(seed)
    crowd=RecommendationVectorEnv(cat,ShopConfig(click_reward=1.,purchase_reward=0.),num_envs=visitors); crowd.reset(seed=seed+1)
    truth=crowd.expected_rewards().mean(0)
    # the shop's ranking: mostly fixed, one good item stuck at the bottom
    score=truth[rng.permutation(48)]*0+np.linspace(3,0,48)[rng.permutation(48)]; good=truth.argmax()
    top=np.argsort(-score)[:4]
    noisy=lambda: (rng.gumbel(size=(visitors,48))+score).argsort(axis=1)[:, ::-1][:, :5]
    def show(order):
        page=Pages(cat,num_envs=visitors); page.reset(seed=int(rng.integers(10**6))); return page.step(order)[3], page.exposure
    # swaps
    order=noisy(); k=rng.integers(1,5,size=visitors); do=rng.random(visitors)<.5
    sw=order.copy(); rows=np.flatnonzero(do); sw[rows,0],sw[rows,k[rows]]=order[rows,k[rows]],order[rows,0]
    click,exp=show(sw)
    # the item that was first by the ranking: clicked at place 1 (not swapped) or at place k (swapped)
    p=[1.]
    for place in range(1,5):
        at1=click[(k==place)&~do,0].mean(); atk=click[(k==place)&do,place].mean(); p.append(atk/at1)
    p=np.array(p)
    # log: good item stuck last
    order=noisy(); order=np.where(order==good,(order+0),order)
    stuck=rng.random(visitors)<.3; 
    has=(order==good).any(1)
    order[stuck&~has,4]=good
    moved=np.flatnonzero(has)
    for r in moved:
        pl=np.flatnonzero(order[r]==good)[0]; order[r,pl],order[r,4]=order[r,4],good
    click,_=show(order)
    shown=np.bincount(order.ravel(),minlength=48); clicks=np.bincount(order.ravel(),weights=click.ravel(),minlength=48); w=np.bincount(order.ravel(),weights=(click/p).ravel(),minlength=48)
    often=shown>300
    return p,exp,spearmanr(truth[often],(clicks/shown)[often])[0],spearmanr(truth[often],(w/shown)[often])[0],often.sum(), (truth[good],(clicks/shown)[good],(w/shown)[good]), (np.argsort(-(clicks/np.maximum(shown,1))*often).tolist().index(good),np.argsort(-(w/np.maximum(shown,1))*often).tolist().index(good))
R=[one(s) for s in range(10)]
for r in R[:3]: print(np.round(r[0],2),np.round(r[1],2),[np.round(x,2) for x in r[2:5]],np.round(r[5],3),r[6])
print(paired_difference([r[3] for r in R],[r[2] for r in R]), np.mean([r[4] for r in R]), [r[6] for r in R])
