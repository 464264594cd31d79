# Makes the table of the faults out of the rows that the tests wrote: what it was, times injected, messages in flight,
# lost, duplicated, stale, a note; rows of the same fault are summed. Run by infra/test.sh.
{
    if (!($1 in injected)) names[++count] = $1
    injected[$1] += $2; in_flight[$1] += $3
    for (i = 4; i <= 6; i++) { found[$1, i] += $i; total[i] += $i }
    if ($7 != "") notes[$1] = $7
    all += $2
    if (length($1) > width) width = length($1)
}
END {
    printf "%-*s %8s %9s %5s %10s %5s\n", width, "fault", "injected", "in flight", "lost", "duplicated", "stale"
    for (i = 1; i <= count; i++) {
        name = names[i]
        if (name in notes && injected[name] == 0) { printf "%-*s %s\n", width, name, notes[name]; continue }
        printf "%-*s %8d %9d %5d %10d %5d\n", width, name, injected[name], in_flight[name], \
            found[name, 4], found[name, 5], found[name, 6]
    }
    printf "faults: %d injected, %d lost, %d duplicated, %d stale\n", all, total[4], total[5], total[6]
    exit (all == 0 || total[4] + total[5] + total[6] > 0)
}
