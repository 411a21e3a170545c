# shellcheck shell=bash
# What scripts/run, scripts/test, scripts/fuzz and scripts/costs need before they can build, sourced by all.
#
# Each function first looks whether there is anything to do, so that a second run costs a few
# milliseconds, and apt (and with it root) is asked only when something is missing.

# The oldest Swift that Package.swift accepts (its swift-tools-version).
readonly swift_oldest=6.2
# The oldest Node that the sample backend is tested with.
readonly node_oldest=18

fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '       %s\n' "$line" >&2; done
    exit 1
}

step() {
    printf '==> %s\n' "$*" >&2
}

# version_at_least HAVE WANT: dotted numbers, compared part by part.
version_at_least() {
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

require_swift() {
    local where='https://www.swift.org/install/linux/ (or the container image swift:6.3-bookworm)'
    command -v swift >/dev/null 2>&1 ||
        fail "there is no 'swift' on the PATH." "Install Swift $swift_oldest or newer: $where"
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' | head -n 1)
    [ -n "$version" ] ||
        fail "'swift --version' does not say its version." "Install Swift $swift_oldest or newer: $where"
    version_at_least "$version" "$swift_oldest" ||
        fail "this is Swift $version; Swift $swift_oldest or newer is needed." "Get it from $where"
}

has_node() {
    local version
    version=$(node --version 2>/dev/null) || return 1
    version_at_least "${version#v}" "$node_oldest"
}

# A venv needs ensurepip too, which Debian ships apart from python3.
has_python_venv() {
    python3 -c 'import venv, ensurepip' >/dev/null 2>&1
}

# The status page is tested in it, and without it those tests are skipped. Installed where that is a plain package:
# Ubuntu's is an installer of a snap, which containers cannot have.
lacks_chromium() {
    local name
    for name in chromium chromium-browser google-chrome; do
        if command -v "$name" >/dev/null 2>&1; then return 1; fi
    done
    [ "$(sed -n 's/^ID=//p' /etc/os-release 2>/dev/null)" = debian ]
}

has_library() {
    # LIBRARY DEBIAN_PACKAGE: either will do, as a library may be installed by hand.
    pkg-config --exists "$1" 2>/dev/null ||
        [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$2" 2>/dev/null)" = installed ]
}

# Where the toolchain keeps what it links against.
swift_resources() {
    swiftc -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p'
}

# Swift's toolchains for Linux bring libFuzzer along; those of some distributions do not.
has_libfuzzer() {
    [ -e "$(swift_resources)/clang/lib/linux/libclang_rt.fuzzer-$(uname -m).a" ]
}

# The same of the Swift runtime as a static library.
has_static_runtime() {
    [ -e "$(swift_resources)_static/linux/static-stdlib-args.lnk" ]
}

# require_packages run|costs|test: what the build and the demo need, for `costs` what counting a request's cost needs too,
# and for `test` that and what the tests need.
require_packages() {
    local missing=()
    has_library openssl libssl-dev || missing+=(libssl-dev)
    has_library libcurl libcurl4-openssl-dev || missing+=(libcurl4-openssl-dev)
    has_library zlib zlib1g-dev || missing+=(zlib1g-dev)
    # SwiftPM finds the C libraries' flags through it.
    command -v pkg-config >/dev/null 2>&1 || missing+=(pkg-config)
    has_node || missing+=(nodejs)
    if [ "$1" != run ]; then
        # Its headers too, without which nothing built says what to count.
        { command -v valgrind && [ -e /usr/include/valgrind/callgrind.h ]; } >/dev/null 2>&1 || missing+=(valgrind)
        command -v strip >/dev/null 2>&1 || missing+=(binutils)
        command -v python3 >/dev/null 2>&1 || missing+=(python3)
    fi
    if [ "$1" = test ]; then
        has_python_venv || missing+=(python3 python3-venv)
        # The demo's test pastes the demo's curl lines.
        command -v curl >/dev/null 2>&1 || missing+=(curl)
        # A key server with a certificate of its own.
        command -v openssl >/dev/null 2>&1 || missing+=(openssl)
        # One of the proxies that deploy/ has configurations for; the others are Python packages.
        [ -x /usr/sbin/nginx ] || command -v nginx >/dev/null 2>&1 || missing+=(nginx)
        if lacks_chromium; then missing+=(chromium); fi
    fi
    [ "${#missing[@]}" -eq 0 ] && return
    install_packages "${missing[@]}"
    has_node || fail "Node $node_oldest or newer is needed; this system's package is $(node --version 2>/dev/null || echo absent)." \
        "Get it from https://nodejs.org/ and put it on the PATH."
    if [ "$1" = test ]; then
        has_python_venv || fail "this python3 ($(command -v python3)) cannot make a virtual environment." \
            "Install its venv and ensurepip modules, or put Debian's /usr/bin first on the PATH."
    fi
}

install_packages() {
    local by_hand="apt-get install $*"
    command -v apt-get >/dev/null 2>&1 ||
        fail "these packages are missing, and there is no apt-get to install them: $*" \
            "Install what your system calls them, then run this again."
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 ||
            fail "these packages are missing: $*" "Run as root: $by_hand"
        as_root=(sudo)
    fi
    step "installing $*"
    local log policy=/usr/sbin/policy-rc.d silenced=''
    log=$(mktemp)
    # A package's service is not wanted: nginx would take port 80. Debian asks this script before it starts one.
    if [ ! -e "$policy" ]; then
        silenced=yes
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod 755 "$policy"
    fi
    local installed=yes
    if ! { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"; } \
        >"$log" 2>&1; then
        installed=''
    fi
    if [ -n "$silenced" ]; then "${as_root[@]}" rm -f "$policy"; fi
    if [ -z "$installed" ]; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "apt-get could not install: $*" "Run as root, and see what it says: $by_hand"
    fi
    rm -f "$log"
}

# require_test_tools: Python packages, pinned, in a virtual environment of our own. It is made anew
# when the pins change, and only a finished one carries the stamp.
require_test_tools() {
    local pins=scripts/test-tools.txt
    local home=.build-tools/python
    local stamp=$home/pins.txt
    if [ -x "$home/bin/python" ] && cmp -s "$pins" "$stamp"; then return; fi
    step "installing the test tools of $pins into $home"
    rm -rf "$home"
    mkdir -p "$(dirname "$home")"
    python3 -m venv "$home" || fail "python3 could not make a virtual environment in $home."
    "$home/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$pins" ||
        fail "pip could not install $pins."
    cp "$pins" "$stamp"
}
