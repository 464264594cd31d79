# Packages of Debian 13 for use beside a Debian 12 system, whose own apt is not touched. Sourced by infra/engine.sh and
# infra/stack/rabbitmq4.sh, never run.

# The machine's own sources of Debian 12 packages, a path a line, in both formats that apt has.
debian12_sources() {
    local file
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
        case $file in *.list | *.sources) ;; *) continue ;; esac
        if [ -r "$file" ] && grep -qE 'debian(-security)?/?( |$)' "$file" && grep -q bookworm "$file"; then
            echo "$file"
        fi
    done
}

# debian13_apt WORK ARGUMENT...: apt-get with package lists of its own below WORK, from the machine's own mirrors and
# with its keys. What was downloaded lies in WORK/cache/archives. Says why it could not, and returns 1.
debian13_apt() {
    local work=$1 file
    shift
    if [ ! -d "$work/parts" ]; then
        mkdir -p "$work"/{state/lists/partial,cache/archives/partial,parts}
        : > "$work/status"
        for file in $(debian12_sources); do sed 's/bookworm/trixie/g' "$file" > "$work/parts/${file##*/}"; done
    fi
    if [ -z "$(ls -A "$work/parts")" ]; then
        echo "found no sources of Debian 12 packages below /etc/apt to take the next release's from" >&2
        return 1
    fi
    apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/parts" -o "Dir::State=$work/state" \
        -o "Dir::State::status=$work/status" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root \
        -o APT::Update::Error-Mode=any -o Acquire::Languages=none -o Acquire::Retries=3 "$@" \
        > "$work/log" 2>&1 && return
    tail -n 20 "$work/log" >&2
    echo "apt-get could not fetch Debian 13's packages: try again" >&2
    return 1
}
