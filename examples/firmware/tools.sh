# What the scripts here share; sourced by them.

# The longest time that an image may run, and that a script waits for anything, in seconds; far longer than needed
TIMEOUT=600
DEFMT_PRINT=1.2.0
target=thumbv7em-none-eabihf
# For what is shared with the repository's other tests
callers_target_dir=${CARGO_TARGET_DIR:-}
mkdir -p "${CARGO_TARGET_DIR:=target}"
CARGO_TARGET_DIR=$(cd "$CARGO_TARGET_DIR" && pwd)
export CARGO_TARGET_DIR
images=$CARGO_TARGET_DIR/$target/release
# The images of the other board
ethernet_target=thumbv7m-none-eabi
ethernet_images=$CARGO_TARGET_DIR/$ethernet_target/release

fail() {
    echo "error: $*" >&2
    exit 1
}

# Lines that match a pattern must be there.
expect() {
    grep -q -- "$2" "$1" || { cat "$1" >&2; fail "nothing matches $2"; }
}

# A text must be there.
expect_text() {
    grep -qF -- "$2" "$1" || { cat "$1" >&2; fail "nowhere is said: $2"; }
}

# Waits until a line matches, or as many lines as the third argument says.
await() {
    local i found
    for ((i = 0; i < 10 * TIMEOUT; i++)); do
        found=$(grep -cs -- "$2" "$1") || true
        [ "${found:-0}" -ge "${3:-1}" ] && return
        sleep 0.1
    done
    fail "waited in vain for $2"
}

# The first value of a field in lines of JSON.
field() {
    sed -n 's/.*"'"$1"'":"\{0,1\}\([^",}]*\).*/\1/p' "$2" | head -n 1
}

# A port of the loopback on which nobody listens, below those that Linux gives to who names none
free_port() {
    local port
    while port=$((20000 + RANDOM % 12000)); (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}

# Runs an image in QEMU, on the board with the UART, and shows its log, decoded; fails as the image does.
firmware() {
    local image=$images/$1
    shift
    emulate "$image" -cpu cortex-m4 -machine mps2-an386 "$@"
}

# The same on the board with the Ethernet controller, in a network whose host is 10.0.2.2
ethernet_firmware() {
    local image=$ethernet_images/$1
    shift
    emulate "$image" -machine lm3s6965evb -serial none "$@"
}

# The log also goes to $work/log, where it may be waited for.
emulate() {
    local image=$1
    shift
    # In the process group of the script, so that what ends that ends QEMU as well
    timeout --foreground "$TIMEOUT" qemu-system-arm -nographic -monitor none -kernel "$image" "$@" |
        defmt-print -e "$image" stdin | tee "$work/log" ||
        fail "$(basename "$image"): exit status ${PIPESTATUS[0]} of QEMU"
}

# An image for that board, with the feature that it needs
build_ethernet() {
    cargo build --release --no-default-features --features "${2:-lm3s6965evb}" --target "$ethernet_target" --bin "$1"
}

need_qemu() {
    command -v qemu-system-arm >/dev/null && return
    local sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update -qq && $sudo apt-get install -y -qq --no-install-recommends qemu-system-arm
}

need_defmt_print() {
    command -v defmt-print >/dev/null || cargo install --quiet --locked "defmt-print@$DEFMT_PRINT"
}

build_geth_peer() {
    geth_peer=$CARGO_TARGET_DIR/host/geth-peer
    (cd ../../tests/programs/interop/geth && go build -o "$geth_peer" .)
}

# Our own program for the host
build_host() {
    host=$CARGO_TARGET_DIR/host/host
    (cd host && go build -o "$host" .)
}

# Bytes that an image takes of flash, or of RAM
size_of() {
    llvm size "$2" | awk -v column="$1" 'NR == 2 { print column == "flash" ? $1 + $2 : $2 + $3 }'
}

# The LLVM tools of the toolchain
llvm() {
    local tool
    tool=$(rustc --print sysroot)/lib/rustlib/$(rustc --print host-tuple)/bin/llvm-$1
    [ -x "$tool" ] || rustup component add llvm-tools >&2
    shift
    "$tool" "$@"
}

# A limit. Fails if there is none by that name, which `set -e` sees only where the limit alone is assigned to a
# variable that is declared already.
limit() {
    local value
    value=$(sed -n 's/^'"$1"' *= *\([0-9][0-9]*\).*/\1/p' limits.toml)
    [ -n "$value" ] || fail "limits.toml has no $1"
    echo "$value"
}

# The deepest stack of the image that ran last
deepest_stack() {
    sed -n 's/.*deepest stack: \([0-9]*\) bytes.*/\1/p' "$work/log"
}

# What the image takes of the board's flash, and of its RAM with the deepest stack
check_size() {
    local image=$ethernet_images/$1 flash ram flash_limit ram_limit
    flash=$(size_of flash "$image")
    ram=$(($(size_of ram "$image") + $(deepest_stack)))
    echo "flash: $flash bytes; RAM with the deepest stack: $ram bytes"
    flash_limit=$(limit ethernet-flash) ram_limit=$(limit ethernet-ram)
    [ "$flash" -le "$flash_limit" ] && [ "$ram" -le "$ram_limit" ] || fail "that is beyond the limit"
}
