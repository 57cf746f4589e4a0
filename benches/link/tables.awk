# From the rows of benches/link/instructions to its tables

# With a comma before every third digit from the right
function spaced(number, text) {
    for (number = sprintf("%.0f", number); length(number) > 3; number = substr(number, 1, length(number) - 3))
        text = "," substr(number, length(number) - 2) text
    return number text
}
function size(bytes) {
    bytes += 0
    if (bytes < 1024) return bytes " B"
    return bytes < 1048576 ? bytes / 1024 " KiB" : bytes / 1048576 " MiB"
}
function percent(part) { return sprintf("%.1f %%", 100 * part) }
function title(text) { printf "\n%s\n\n", text }
function header(columns, cells, i, count) {
    count = split(columns, cells, "; ")
    printf "|"
    for (i = 1; i <= count; i++) printf " %s |", cells[i]
    printf "\n|"
    for (i = 1; i <= count; i++) printf "---|"
    print ""
}

# What permutations that the MAC must take leave to everything else
function rest(name) { return percent(1 - must[name] * one / all[name]) }

function frames(what, kind, i, name) {
    title(what)
    header("payload; `write`; ÷ `sha3`; permutations; not permutations; `receive`; ÷ `sha3`; not permutations")
    for (i = 1; i <= sizes; i++) {
        bytes = list[i]
        out = "write/" kind "/" bytes; in_ = "receive/" kind "/" bytes; hash = all["sha3/" bytes]
        printf "| %s | %s | %.2f | %.1f | %s | %s | %.2f | %s |\n", size(bytes), spaced(all[out]), all[out] / hash, must[out],
            rest(out), spaced(all[in_]), all[in_] / hash, rest(in_)
    }
}

function segments(i, whole, cut) {
    title("A message that comes in segments of 1,448 bytes (Snappy, random)")
    header("payload; whole; in segments; ratio")
    for (i = 1; i <= sizes; i++) {
        whole = "receive/random/" list[i]; cut = "receive/segments/" list[i]
        if (cut in all) printf "| %s | %s | %s | %.3f |\n", size(list[i]), spaced(all[whole]), spaced(all[cut]), all[cut] / all[whole]
    }
}

function skips(i, whole, cut) {
    title("A message that is skipped (Snappy, random), whole and in segments of 1,448 bytes")
    header("payload; whole; ÷ permutations of its MAC; in segments; ÷ permutations")
    for (i = 1; i <= sizes; i++) {
        whole = "skip/whole/" list[i]; cut = "skip/segments/" list[i]
        if (whole in all) printf "| %s | %s | %.3f | %s | %.3f |\n", size(list[i]), spaced(all[whole]), all[whole] / must[whole] / one,
            spaced(all[cut]), all[cut] / must[cut] / one
    }
}

function alignments(i, odd, even) {
    title("`write`, if the length of the ack makes the MAC begin at the first byte of a word, as in 1 of 8 links (Snappy, random)")
    header("payload; any other byte; the first byte; ratio")
    for (i = 1; i <= sizes; i++) {
        odd = "write/random/" list[i]; even = "write/aligned/" list[i]
        printf "| %s | %s | %s | %.3f |\n", size(list[i]), spaced(all[odd]), spaced(all[even]), all[even] / all[odd]
    }
}

function split_of(name, with, i) {
    for (i = 1; i <= kinds; i++) part[kind[i]] = of[name, i] + (with ? of[with, i] : 0)
}
function handshake(what, name, with, total) {
    total = all[name]
    if (with) total += all[with]
    split_of(name, with)
    symmetric = part["permutation"] + part["Keccak"] + part["AES"] + part["hashing"]
    printf "| %s | %s | %s | %s | %s |\n", what, spaced(total), spaced(part["curve"]), spaced(symmetric),
        spaced(total - part["curve"] - symmetric)
}
function handshakes() {
    title("A handshake, from the constructor to the session, without the derivation of the node's own key")
    header("role; all; curve; hashes and ciphers; the rest")
    handshake("initiator, to auth", "handshake/initiator/auth")
    handshake("initiator, from ack", "handshake/initiator/ack")
    handshake("initiator", "handshake/initiator/auth", "handshake/initiator/ack")
    handshake("recipient", "handshake/recipient")
}

function simple(what, name) { printf "| %s | %s | %s |\n", what, spaced(all[name]), (must[name] ? rest(name) : "–") }
function calls() {
    title("Other work")
    header("what; instructions; not permutations")
    simple("a Ping of ours and its Pong", "ping/sent")
    simple("a Ping of the peer and our Pong", "ping/answered")
    simple("`poll` with nothing to do", "idle/poll")
    simple("`next_timeout`", "idle/next_timeout")
}

function share(bytes, content, out, in_, total, i) {
    out = "write/" content "/" bytes; in_ = "receive/" content "/" bytes
    total = all[out] + all[in_]
    split_of(out, in_)
    printf "| %s, %s | %s |", size(bytes), content, spaced(total)
    for (i = 1; i <= kinds; i++) if (kind[i] !~ /curve|hashing/) printf " %.1f |", 100 * part[kind[i]] / total
    print ""
}
function shares(i) {
    title("Where the instructions of a message go, both sides together, in percent (Snappy)")
    header("payload; instructions; permutation; rest of Keccak; AES; Snappy; copying; the link")
    for (i = 1; i <= sizes; i++) { share(list[i], "random"); share(list[i], "compressible") }
}

BEGIN { kinds = split("permutation Keccak AES Snappy copying curve hashing other", kind, " ") }
{
    all[$1] = $2; must[$1] = $3 + 0
    if ($4) one = $4
    for (i = 1; i <= kinds; i++) of[$1, i] = $(4 + i)
    if (sub(/^sha3\//, "", $1)) list[++sizes] = $1
}
END {
    printf "rustc %s, callgrind; one permutation: %s instructions, one block of `sha3`: %s\n", rustc, spaced(one),
        spaced((all["sha3/1048576"] - all["sha3/131072"]) / (1048576 - 131072) * 136)
    frames("A frame, with Snappy, of a random payload", "random")
    frames("A frame, with Snappy, of a payload that compresses 3.3 times", "compressible")
    frames("A frame, without Snappy", "plain")
    segments(); skips(); alignments(); handshakes(); calls(); shares()
}
