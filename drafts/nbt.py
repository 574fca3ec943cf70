import json, sys, re, secrets, pathlib
def dump(nb, txt):
    d = json.load(open(nb)); out = []
    for c in d['cells']:
        src = ''.join(c['source'])
        out.append(f"#%% {'md' if c['cell_type']=='markdown' else 'code'} {c.get('id','')} {json.dumps(c['metadata'])}\n{src}\n")
    pathlib.Path(txt).write_text('\n'.join(out))
def build(txt, nb):
    p = pathlib.Path(nb)
    old = json.load(open(nb if p.exists() else sys.argv[4]))
    meta = {k: v for k, v in old.items() if k != 'cells'}
    byid = {c['id']: c for c in old['cells']} if p.exists() else {}
    cells = []; seen = set()
    for part in re.split(r'(?m)^#%% ', pathlib.Path(txt).read_text())[1:]:
        head, src = part.split('\n', 1)
        m = re.match(r'(md|code)\s*(\S*?)\s*(\{.*\})?$', head)
        kind, cid, md = m.group(1), m.group(2), json.loads(m.group(3) or '{}')
        src = src.strip('\n')
        if not cid or cid in seen: cid = secrets.token_hex(4)
        seen.add(cid)
        lines = src.splitlines(keepends=True)
        c = {'cell_type': 'markdown' if kind == 'md' else 'code'}
        if kind == 'code': c['execution_count'] = None
        c['id'] = cid; c['metadata'] = md
        if kind == 'code':
            o = byid.get(cid)
            c['outputs'] = o['outputs'] if o and ''.join(o['source']) == src and o['cell_type']=='code' else []
            if c['outputs']: c['execution_count'] = o['execution_count']
        c['source'] = lines
        cells.append(c)
    json.dump({'cells': cells, **meta}, open(nb, 'w'), indent=1, ensure_ascii=False); open(nb,'a').write('\n')
{'dump': dump, 'build': build}[sys.argv[1]](sys.argv[2], sys.argv[3])
