"""time the cells of a notebook: NB FRAMEWORK OUT"""
import sys, os, time, nbformat
from nbclient import NotebookClient
nb, fw, out = sys.argv[1:4]
os.environ['COURSE_FRAMEWORK']=fw; os.environ.setdefault('OMP_NUM_THREADS','1')
if len(sys.argv)>4: os.environ['COURSE_SEED']=sys.argv[4]
n=nbformat.read(nb,4)
class C(NotebookClient):
    async def async_execute_cell(self, cell, i, **k):
        t=time.time()
        try: return await super().async_execute_cell(cell, i, **k)
        finally:
            d=time.time()-t
            if d>.7: print(i, f'{d:.1f}s', ''.join(cell.source)[:60].replace('\n',' | '), flush=True)
t=time.time(); C(n, timeout=600, kernel_name='python3', allow_errors=True, resources={'metadata':{'path':os.path.dirname(os.path.abspath(nb))}}).execute()
print('total', time.time()-t); nbformat.write(n, out)
for i,c in enumerate(n.cells):
    for o in c.get('outputs',[]):
        if o.output_type=='error': print('ERROR', i, o.ename, o.evalue[:300])
        elif o.get('name')=='stderr': print('STDERR', i, o.text[:300])
        elif '✗' in str(o.get('text','')): print('FAILED', i, o.text)
