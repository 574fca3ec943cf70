cd "$(dirname "$0")"; : > 08.txt; for f in s0 s1 s2 s3 s4 s5 s6 s7 s8 s9 s10; do cat $f.txt >> 08.txt; echo >> 08.txt; done
