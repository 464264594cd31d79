# The SFTP server of the local stack: OpenSSH, one key, one host key, files only. Sourced by up.sh and down.sh.

write_sftp_keys() {
    local home=$1 name
    for name in host_key client_key; do
        [ -s "$home/$name" ] || ssh-keygen -q -t ed25519 -N '' -C "stockbridge local stack" -f "$home/$name"
    done
    cp "$home/client_key.pub" "$home/authorized_keys"
}

# One host key only: the fingerprint that a client sees must not depend on what it prefers.
write_sftp_configuration() {
    local home=$1 port=$2 pam=no
    # Without PAM sshd refuses a locked account even with a key.
    if [ "$(id -u)" -eq 0 ] && getent shadow root | cut -d: -f2 | grep -q '^!'; then pam=yes; fi
    cat > "$home/sshd_config" <<END
Port $port
ListenAddress 127.0.0.1
HostKey $home/host_key
PidFile none
AuthorizedKeysFile $home/authorized_keys
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowUsers $(id -un)
UsePAM $pam
# The stack may lie below a directory that others may write to, such as /tmp.
StrictModes no
UseDNS no
MaxStartups 200
AllowTcpForwarding no
AllowAgentForwarding no
PermitTunnel no
PermitTTY no
X11Forwarding no
Subsystem sftp internal-sftp
ForceCommand internal-sftp -d $stack/sftp
LogLevel INFO
END
}

start_sftp() {
    local home=$servers/sftp
    needs /usr/sbin/sshd openssh-server
    if running sftp > /dev/null; then return; fi
    mkdir -p "$home" "$stack/sftp"
    chmod 700 "$home"
    write_sftp_keys "$home"
    write_sftp_configuration "$home" "$(port_for sftp)"
    # Where sshd gives up its privileges; the package makes it only when systemd starts the service.
    if [ "$(id -u)" -eq 0 ]; then mkdir -p /run/sshd; fi
    /usr/sbin/sshd -t -f "$home/sshd_config" || die "sshd does not take its configuration, $home/sshd_config"
    launch sftp "$stack/log/sftp.log" /usr/sbin/sshd -D -e -f "$home/sshd_config"
    await sftp "$stack/log/sftp.log" 20 answers 127.0.0.1 "$(port_of sftp)"
    say "SFTP listens on 127.0.0.1:$(port_of sftp)"
}

host_key_fingerprint() { ssh-keygen -l -E sha256 -f "$servers/sftp/host_key.pub" | cut -d' ' -f2; }

sftp_environment() {
    cat <<END
export STOCKBRIDGE_TEST_SFTP_HOST=127.0.0.1
export STOCKBRIDGE_TEST_SFTP_PORT=$(port_of sftp)
export STOCKBRIDGE_TEST_SFTP_USER=$(id -un)
export STOCKBRIDGE_TEST_SFTP_KEY=$servers/sftp/client_key
export STOCKBRIDGE_TEST_SFTP_FINGERPRINT=$(host_key_fingerprint)
export STOCKBRIDGE_TEST_SFTP_DIRECTORY=$stack/sftp
END
}

stop_sftp() { end sftp TERM 10; }
