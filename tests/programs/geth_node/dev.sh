# Functions that run a geth in development mode; sourced by the scripts that prepare a node's data.
: "${GETH:?is the geth binary; tests/programs/geth_node/geth names it}"

# geth takes every environment variable that begins with GETH for an option of its own, and warns.
geth() { env -u GETH -u GETH_PEER "$GETH" "$@"; }

# Starts geth: start_dev DIRECTORY PERIOD. PERIOD is the time between blocks in seconds; with 0, geth makes a block as soon
# as a transaction comes. Sets `node` to the process id, and `ipc` to the path of the socket. geth is killed when the
# script ends, at the latest.
start_dev() {
    local directory=$1 period=$2
    # The path of a socket has a limited length, so the socket is not in DIRECTORY, whose path may be long.
    ipc=$(mktemp -d)/ipc
    env -u GETH -u GETH_PEER "$GETH" --dev --dev.period "$period" --datadir "$directory/data" --ipcpath "$ipc" \
        --verbosity 2 >>"$directory/dev.log" 2>&1 &
    node=$!
    trap 'kill $node 2>/dev/null || true; rm -rf "$(dirname "$ipc")"' EXIT
    # Waits until the node listens, however long a busy machine needs. Fails if the node ends first.
    until [ -S "$ipc" ]; do kill -0 $node || exit 1; sleep 0.1; done
}

# Evaluates an expression in the console of geth
console() { geth attach --exec "$1" "$ipc"; }

# Ends geth, and lets it write its data first
stop_dev() {
    kill -INT $node
    wait $node || true
}
