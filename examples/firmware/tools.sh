# What the scripts here share; sourced by them.

# Seconds that an image may run
TIMEOUT=120
DEFMT_PRINT=1.2.0
target=thumbv7em-none-eabihf
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
images=$CARGO_TARGET_DIR/$target/release

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

# Waits until a line matches, for at most half a minute.
await() {
    local i
    for ((i = 0; i < 300; i++)); do
        grep -qs -- "$2" "$1" && return
        sleep 0.1
    done
    fail "waited in vain for $2"
}

# The first value of a field in lines of JSON.
field() {
    sed -n 's/.*"'"$1"'":"\{0,1\}\([^",}]*\).*/\1/p' "$2" | head -n 1
}

# A port of the loopback on which nobody listens.
free_port() {
    local port
    while port=$((20000 + RANDOM % 20000)); (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo "$port"
}

# Runs an image in QEMU and shows its log, decoded; fails as the image does.
#
# The log also goes to $work/log, where it may be waited for.
firmware() {
    local image=$1
    shift
    timeout "$TIMEOUT" qemu-system-arm -cpu cortex-m4 -machine mps2-an386 -nographic -monitor none \
        -kernel "$images/$image" "$@" | defmt-print -e "$images/$image" stdin | tee "$work/log" ||
        fail "$image: exit status ${PIPESTATUS[0]} of QEMU"
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
    geth_peer=$(mktemp -d)/geth-peer
    (cd ../../tests/interop/geth && go build -o "$geth_peer" .)
}

# The LLVM tools of the toolchain
llvm() {
    local tool
    tool=$(rustc --print sysroot)/lib/rustlib/$(rustc --print host-tuple)/bin/llvm-$1
    [ -x "$tool" ] || rustup component add llvm-tools >&2
    shift
    "$tool" "$@"
}

# A limit, nothing if there is none.
limit() {
    sed -n 's/^'"$1"' *= *\([0-9]*\).*/\1/p' limits.toml
}
