# From the times of alternating rounds to rows of a table of ratios
#
# Each line is a round: the nanoseconds of geth for a message, and then of each of the others, which `names` names.
# `payload` says what the messages are. The ratio of the least is the best estimate, since disturbances only add; the
# median shows whether it is typical.

function time(ns) { return ns < 1e5 ? sprintf("%.2f µs", ns / 1e3) : sprintf("%.0f µs", ns / 1e3) }

{
    for (i = 1; i <= NF; i++) {
        if (NR == 1 || $i < least[i]) least[i] = $i
        ratio[i, NR] = $i / $1
    }
}
END {
    count = split(names, name, " ")
    for (i = 2; i <= count + 1; i++) {
        for (j = 2; j <= NR; j++)
            for (k = j; k > 1 && ratio[i, k] < ratio[i, k - 1]; k--) {
                swap = ratio[i, k]; ratio[i, k] = ratio[i, k - 1]; ratio[i, k - 1] = swap
            }
        quarter = int((NR + 3) / 4)
        printf "| %s, %s | %s | %s | %.2f | %.2f (%.2f to %.2f) |\n", payload, name[i - 1], time(least[1]), time(least[i]),
            least[i] / least[1], ratio[i, int((NR + 1) / 2)], ratio[i, quarter], ratio[i, NR + 1 - quarter]
    }
}
