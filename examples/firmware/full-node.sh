# Functions for the full geth node and for visits of the image `header` to it. The scripts that need them source this
# file after tools.sh.

# The process of the node while it runs
node=

# Makes the data of the full node: its chain, with as many blocks as the argument says, if there is one
make_chain() {
    GETH=$(CARGO_TARGET_DIR=$callers_target_dir ../../tests/programs/geth_node/geth)
    export GETH
    ../../tests/programs/geth_node/chain "$work/node" "$@"
}

# Starts the full node. Sets `key` to its id and `port` to its port.
start_node() {
    local url
    ../../tests/programs/geth_node/serve "$work/node" --ipcpath "$work/ipc" 2>"$work/node.log" &
    node=$!
    await "$work/node.log" 'IPC endpoint opened'
    await "$work/node.log" 'Started P2P networking'
    url=$(sed -n 's/.*enode:\/\/\([0-9a-f]*\)@127.0.0.1:\([0-9]*\).*/\1 \2/p' "$work/node.log" | head -n 1)
    read -r key port <<<"$url"
}

stop_node() {
    [ -n "$node" ] || return 0
    kill "$node" || true # it may have died
    wait "$node" || true
    node=
}

# Evaluates an expression in the console of the node
console() {
    env -u GETH "$GETH" attach --exec "$1" "$work/ipc" | tr -d '"'
}

# The number and the hash of a block
block() {
    echo "$1 $(console "eth.getBlock($1).hash.slice(2)")"
}

# The fork id of a chain without forks after its genesis: the CRC-32 of the genesis block's hash (EIP-2124),
# which gzip writes near the end of its output.
fork_id() {
    printf "$(sed 's/../\\x&/g' <<<"$1")" | gzip | tail -c 8 | od -A n -t x4 -N 4 | tr -d ' '
}

# Runs the image with these arguments; succeeds if the image reports success.
visit() {
    local arguments
    arguments=$(printf ',arg=%s' "$@")
    ethernet_firmware header -nic user,model=stellaris -semihosting-config "enable=on,target=native$arguments"
}

# Runs the image with the other arguments; succeeds if it fails with the words of the first argument in its log.
visit_in_vain() {
    local says=$1
    shift
    if (visit "$@") 2>/dev/null; then
        fail "the firmware should have said: $says"
    fi
    expect_text "$work/log" "$says"
}
