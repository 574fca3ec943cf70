import json, sys
d = json.load(open(sys.argv[1]))
for i, c in enumerate(d['cells']):
    print(f"=== [{i}] {c['cell_type']} {json.dumps(c['metadata']) if c['metadata'] else ''}")
    print(''.join(c['source']))
    for o in c.get('outputs', []):
        if 'text' in o: print('--> ', ''.join(o['text'])[:1500])
        elif 'data' in o:
            k = list(o['data']); print('--> ', k, ''.join(o['data'].get('text/plain', ''))[:300])
