import json, sys, base64
d=json.load(open(sys.argv[1])); out=sys.argv[2]
for i,c in enumerate(d['cells']):
    for k,o in enumerate(c.get('outputs',[])):
        p=o.get('data',{}).get('image/png')
        if p: open(f'{out}_{i}_{k}.png','wb').write(base64.b64decode(p)); print(i,k)
