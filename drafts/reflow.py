"""wrap the markdown of an nbt text file at 120 columns"""
import re, sys, textwrap
def para(lines):
    starts = [i for i, l in enumerate(lines) if re.match(r'- ', l)]
    if starts and starts[0] > 0: return para(lines[:starts[0]]) + para(lines[starts[0]:])
    lines = [l for l in re.sub(r'\$[^$\n]+\$', lambda m: m.group().replace(' ', '\0'), '\n'.join(lines)).split('\n')]
    return [l.replace('\0', ' ') for l in para_(lines)]
def para_(lines):
    first = lines[0]
    if re.match(r'\s*(\||\$\$|<|#|>)', first) or any('$$' in l for l in lines): return lines
    m = re.match(r'(\s*)([-*]|\d+\.)\s+', first)
    if m and not first.lstrip().startswith(('**',)) and not re.match(r'\*[^ ]', first.lstrip()):
        items, cur = [], None
        for l in lines:
            if re.match(r'\s*([-]|\d+\.)\s+', l): cur = [l]; items.append(cur)
            else: cur.append(l)
        out = []
        for it in items:
            mark = re.match(r'(\s*([-]|\d+\.)\s+)', it[0]).group(1)
            text = ' '.join(x.strip() for x in it)[len(mark.strip()):].strip()
            out += textwrap.wrap(text, 120, initial_indent=mark, subsequent_indent=' '*len(mark), break_long_words=False, break_on_hyphens=False)
        return out
    return textwrap.wrap(' '.join(l.strip() for l in lines), 120, break_long_words=False, break_on_hyphens=False)
out, inmd = [], False
blocks = re.split(r'(?m)^(#%% .*)$', open(sys.argv[1]).read())
res = [blocks[0]]
for head, body in zip(blocks[1::2], blocks[2::2]):
    if head.startswith('#%% md'):
        parts, fence = [], False
        for p in re.split(r'\n\s*\n', body.strip('\n')):
            parts.append(p if '```' in p else '\n'.join(para(p.split('\n'))))
        # lines that begin a list right after a paragraph stay as they are
        body = '\n' + '\n\n'.join(parts) + '\n\n'
    res += [head, body]
open(sys.argv[1], 'w').write(''.join(res))
