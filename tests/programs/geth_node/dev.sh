# A geth of one's own in development mode; sourced by the scripts that prepare a node's data.
: "${GETH:?is the geth binary; tests/programs/geth_node/geth names it}"

# geth takes every variable that begins with its name for one of its own, and warns.
geth() { env -u GETH -u GETH_PEER "$GETH" "$@"; }

# Starts it on DIRECTORY, with a period between its blocks in seconds, or 0 for a block as soon as a transaction comes.
# Its process goes to `node`, and the path of its socket to `ipc`. It ends with the script at the latest.
start_dev() {
    local directory=$1 period=$2
    # The path of a socket is short: not in DIRECTORY, which may be anywhere.
    ipc=$(mktemp -d)/ipc
    env -u GETH -u GETH_PEER "$GETH" --dev --dev.period "$period" --datadir "$directory/data" --ipcpath "$ipc" \
        --verbosity 2 >>"$directory/dev.log" 2>&1 &
    node=$!
    trap 'kill $node 2>/dev/null || true; rm -rf "$(dirname "$ipc")"' EXIT
    # Waits until the node listens, however long a busy machine needs. Fails if the node ends first.
    until [ -S "$ipc" ]; do kill -0 $node || exit 1; sleep 0.1; done
}

# What its console makes of an expression
console() { geth attach --exec "$1" "$ipc"; }

# Ends it, with all that it has to keep
stop_dev() {
    kill -INT $node
    wait $node || true
}
