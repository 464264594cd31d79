# Functions shared by the scripts of the local stack. Sourced, never run.
# Expects: $stack (absolute path of the stack's directory); remove_after also $here (this folder).

say() { printf '%s\n' "stack: $*"; }
die() {
    printf '%s\n' "stack: $*" >&2
    exit 1
}

# The servers refuse to run as root, so root hands each one to the account its package made. Anybody else runs them
# as themselves. Usage: as ACCOUNT COMMAND...
as() {
    local account=$1
    shift
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid "$account" --regid "$(id -g "$account")" --init-groups -- "$@"
    else
        "$@"
    fi
}

# The owner that a server's directory needs. Usage: give ACCOUNT PATH...
give() {
    local account=$1
    shift
    if [ "$(id -u)" -eq 0 ]; then chown -R "$account:" "$@"; fi
}

secret() { od -An -N 18 -tx1 /dev/urandom | tr -d ' \n'; }

# Keeps a generated value in a file that only we can read. Usage: kept NAME GENERATOR...
kept() {
    local file=$stack/state/$1
    shift
    [ -s "$file" ] || (umask 077 && "$@" > "$file.new" && mv "$file.new" "$file")
    cat "$file"
}

# Usage: answers ADDRESS PORT
answers() { (exec 3<> "/dev/tcp/$1/$2") 2> /dev/null; }
port_is_free() { ! answers 127.0.0.1 "$1"; }

# A free port below the range that the kernel gives to outgoing connections.
any_port() {
    local port
    for _ in $(seq 200); do
        port=$((20000 + RANDOM % 12000))
        if port_is_free "$port"; then
            echo "$port"
            return
        fi
    done
    die "found no free port between 20000 and 32000 on 127.0.0.1: stop something and try again"
}

# The port of a server: the one of last time, unless somebody else has it by now. Call it while that server is down.
port_for() {
    local file=$stack/state/$1.port
    if [ -s "$file" ] && ! port_is_free "$(cat "$file")"; then rm -f "$file"; fi
    kept "$1.port" any_port
}

port_of() { cat "$stack/state/$1.port"; }

# Raises the limit of open files as far as we may, up to what a busy broker wants.
raise_limits() {
    local hard
    hard=$(ulimit -Hn)
    if [ "$hard" = unlimited ] || [ "$hard" -gt 65536 ]; then hard=65536; fi
    ulimit -Sn "$hard" 2> /dev/null || true
    ulimit -c 0 2> /dev/null || true
}

# What tells a process from a later one that got the same number: its start time, and the boot it belongs to.
process_mark() {
    local fields
    [ -r "/proc/$1/stat" ] || return 1
    fields=$(sed 's/.*) //' "/proc/$1/stat" 2> /dev/null) || return 1
    # shellcheck disable=SC2086
    set -- $fields
    [ "$1" != Z ] || return 1
    echo "${20} $(cat /proc/sys/kernel/random/boot_id)"
}

# Usage: remember NAME PID
remember() { echo "$2 $(process_mark "$2")" > "$stack/state/$1.pid"; }

# Prints the number of the running process that was remembered under a name; fails if it is gone.
running() {
    local pid mark
    [ -s "$stack/state/$1.pid" ] || return 1
    read -r pid mark < "$stack/state/$1.pid"
    [ -n "$mark" ] && [ "$mark" = "$(process_mark "$pid")" ] || return 1
    echo "$pid"
}

# Starts a command as a background process of its own session and remembers it. Usage: launch NAME LOG COMMAND...
launch() {
    local name=$1 log=$2
    shift 2
    # fd 9 is lock_stack's: a server that inherited it would hold it for as long as it runs.
    (cd "$servers" && exec setsid "$@" >> "$log" 2>&1 < /dev/null 9>&-) &
    remember "$name" $!
}

# The same, as the account of a server. Usage: launch_as ACCOUNT NAME LOG COMMAND...
launch_as() {
    local account=$1 name=$2 log=$3
    shift 3
    if [ "$(id -u)" -eq 0 ]; then
        launch "$name" "$log" setpriv --reuid "$account" --regid "$(id -g "$account")" --init-groups -- "$@"
    else
        launch "$name" "$log" "$@"
    fi
}

# Waits until a server answers; if its process ends first, shows the end of its log.
# Usage: await NAME LOG SECONDS TEST...
await() {
    local name=$1 log=$2 seconds=$3
    shift 3
    local deadline=$((SECONDS + seconds))
    until "$@" > /dev/null 2>&1; do
        if ! running "$name" > /dev/null; then
            tail -n 20 "$log" >&2 || true
            die "$name ended while starting; its log is $log"
        fi
        if [ "$SECONDS" -ge "$deadline" ]; then
            tail -n 20 "$log" >&2 || true
            die "$name did not answer within $seconds s; its log is $log"
        fi
        sleep 0.1
    done
}

# Ends a remembered process: the signal, then patience, then SIGKILL. Usage: end NAME SIGNAL SECONDS
end() {
    local name=$1 signal=$2 pid
    if pid=$(running "$name"); then
        kill -"$signal" "$pid" 2> /dev/null || true
        local deadline=$((SECONDS + $3))
        while running "$name" > /dev/null; do
            if [ "$SECONDS" -ge "$deadline" ]; then
                say "$name did not stop within $3 s: killing it"
                kill -KILL "$pid" 2> /dev/null || true
                sleep 0.2
                break
            fi
            sleep 0.1
        done
    fi
    rm -f "$stack/state/$name.pid"
}

needs() {
    local path=$1 package=$2
    [ -e "$path" ] || command -v "$path" > /dev/null ||
        die "$path is missing (Debian package $package): run infra/install.sh stack"
}

# Ends servers that outlived their directory, which somebody deleted without down.sh. They run with it as their working
# directory, except sshd, which names its configuration file. Usage: end_orphans DIRECTORY
end_orphans() {
    local process
    for process in /proc/[0-9]*; do
        case $(cat "$process/comm" 2> /dev/null) in
        beam.smp | epmd | postgres | python3 | rabbitmq-server)
            case $(readlink "$process/cwd" 2> /dev/null) in "$1" | "$1 "* | "$1/"*) ;; *) continue ;; esac
            ;;
        sshd) tr '\0' ' ' < "$process/cmdline" 2> /dev/null | grep -qF -- "$1/sftp/sshd_config" || continue ;;
        *) continue ;;
        esac
        kill -KILL "${process#/proc/}" 2> /dev/null || true
    done
}

# Makes the stack's directory. What lies in it names the directory, in files that have no way to quote it.
prepare_stack_directory() {
    case $stack in *[!A-Za-z0-9._/-]*)
        die "$stack has characters that the servers' configuration files do not take: use letters, digits, . _ and -" ;;
    esac
    mkdir -p "$stack"/{bin,log,state}
    chmod 755 "$stack"
    chmod 700 "$stack/state" "$stack/log"
}

# One script at a time starts or stops servers of a stack: descriptor 9 is the lock, for as long as the script runs.
lock_stack() {
    exec 9> "$stack/state/lock"
    flock -n 9 || { say "another up.sh or down.sh is at work on $stack: waiting for it"; flock 9; }
}

# How to reach the servers. Broker and database are not the same in a stack and in a cluster: the script that starts
# them says with server_environment where they are.
write_environment() {
    (
        umask 077
        {
            server_environment
            sftp_environment
            mail_environment
        } > "$stack/environment.new"
    )
    mv "$stack/environment.new" "$stack/environment"
}

# Stops everything; with --remove deletes the servers' files and the stack's directory too. The script that calls it
# ends broker and database with stop_servers. Usage: take_down [--remove]
take_down() {
    if [ ! -d "$stack/state" ]; then
        say "nothing was started under $stack"
        return
    fi
    lock_stack
    stop_mail
    stop_sftp
    stop_servers
    say "stopped everything under $stack"
    [ "${1:-}" = --remove ] || return 0
    servers=$(realpath -m "$stack/servers")
    # The small disk of lend.sh.
    if mountpoint -q "$servers/postgresql"; then umount -l "$servers/postgresql"; fi
    case $servers in
    "$stack/servers" | /var/tmp/stockbridge-????????????) rm -rf "$servers" ;;
    esac
    rm -rf "$stack"
    say "removed $stack"
}

# Has everything stopped and removed once a process has ended, however it ended. Usage: remove_after PROCESS DOWN
remove_after() {
    local mark
    mark=$(process_mark "$1") || die "there is no process $1 to start servers for: nothing was started"
    # Whoever reads what the process writes must not wait for the watcher: it passes nothing on.
    setsid "$here/watch.sh" "$stack" "$1" "$mark" "$2" < /dev/null > /dev/null 2>&1 &
}

# Decides where the servers keep their files: under the stack's directory, or, where that lies below a directory which
# the servers' accounts may not enter (a home directory, say), under /var/tmp with a link to it.
prepare_servers_directory() {
    servers=$stack/servers
    [ -e "$servers" ] || end_orphans "$servers"
    if [ ! -e "$servers" ] && [ "$(id -u)" -eq 0 ] && ! as nobody test -x "$stack"; then
        local elsewhere
        elsewhere=/var/tmp/stockbridge-$(printf '%s' "$stack" | sha256sum | cut -c1-12)
        [ ! -e "$elsewhere" ] || [ -O "$elsewhere" ] || die "$elsewhere belongs to somebody else: remove it"
        # What lies there now belonged to a stack whose directory was deleted, its passwords with it.
        end_orphans "$elsewhere"
        rm -rf "$elsewhere"
        mkdir -m 711 "$elsewhere"
        rm -f "$servers"
        ln -s "$elsewhere" "$servers"
        say "the servers' accounts may not enter $stack, so their files are in $elsewhere"
    fi
    mkdir -p "$servers"
    chmod 711 "$servers"
    servers=$(realpath "$servers")
}
