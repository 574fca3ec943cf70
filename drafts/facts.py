from engine import *
import warnings; warnings.filterwarnings('ignore')
from course_lib.common.claims import paired_difference as pd
from sklearn.feature_extraction.text import HashingVectorizer
from babel import Locale
LANGS="cs da de es fi fr hu it nl pl pt ro sv tr hr".split()
def all_names():
    found={l:{n.lower() for n in [*Locale(l).territories.values(),*Locale(l).languages.values()] if n and n.replace(' ','').isalpha()} for l in LANGS}
    from collections import Counter
    c=Counter(n for v in found.values() for n in v)
    return {l:sorted(n for n in v if c[n]==1) for l,v in found.items()}
NAMES=all_names(); VEC=HashingVectorizer(analyzer='char_wb',ngram_range=(1,3),n_features=512,norm='l2',alternate_sign=False)
def names(s,count=30,units=64,layers=1,gain=1.0):
    rng=np.random.default_rng(s); parts=[[],[],[]]
    for k,l in enumerate(LANGS):
        o=rng.permutation(NAMES[l]); 
        for p,(a,b) in zip(parts,((count*0+100,100+count),(0,20),(20,60))): p+= [(n,k) for n in o[a:b]]
    X=[ (VEC.transform([n for n,_ in p]).toarray()*np.sqrt(512)).astype(np.float32) for p in parts]; Y=[np.array([k for _,k in p]) for p in parts]
    from types import SimpleNamespace
    def k(i,o): return (rng.uniform(-1,1,(i,o))*np.sqrt(6/i)).astype(np.float32)
    z=[512,*[units]*layers,15]; w=[]
    for i,o in zip(z,z[1:]): w+=[gain*k(i,o),np.zeros(o,np.float32)]
    return Task('names',X[0],Y[0],X[1],Y[1],X[2],Y[2],w)
if __name__=='__main__':
    print(min(len(v) for v in NAMES.values()))
    rates=np.geomspace(1e-4,1,9)
    for label,make in dict(d60=lambda s:few_digits(s,60),d900=lambda s:few_digits(s,900),names=names).items():
        tune=[make(100+s) for s in range(8)]; test=[make(s) for s in range(12)]
        res={}
        for name,rule in dict(sgd=sgd,momentum=momentum,rmsprop=rmsprop,adam=adam).items():
            e,_=descend(rule,tune,rates,300,every=300); best=rates[np.nanargmin(np.where(np.isfinite(e[-1]),e[-1],9e9).mean(1))]
            e,_=descend(rule,test,[best],300,every=300); res[name]=e[-1][0]; 
            cosf=lambda u: .5*(1+np.cos(np.pi*u))
            e2,_=descend(rule,tune,rates,300,every=300,schedule=cosf); b2=rates[np.nanargmin(np.where(np.isfinite(e2[-1]),e2[-1],9e9).mean(1))]
            e2,_=descend(rule,test,[b2],300,every=300,schedule=cosf); res[name+' cos']=e2[-1][0]
            print(label,name,'best',round(best,5),'loss',res[name].mean().round(3),'cos best',round(b2,5),res[name+' cos'].mean().round(3),flush=True)
        for name,rule in dict(dowg=dowg,dog=dog,prodigy=prodigy).items():
            e,_=descend(rule,test,[1.0],300,every=300); res[name]=e[-1][0]; print(label,name,res[name].mean().round(3))
        e,_=descend(adam,test,[1e-3],300,every=300); res['adam default']=e[-1][0]
        e,_=descend(sgd,test,[1e-2],300,every=300); res['sgd default']=e[-1][0]
        for a,b in (('adam','sgd'),('adam','momentum'),('adam','adam default'),('adam cos','adam'),('sgd cos','sgd'),('prodigy','adam'),('dog','sgd'),('dowg','sgd'),('dog','adam default'),('adam default','sgd default')):
            print('   ',label,a,'-',b,pd(res[a],res[b]))
