# The SMTP server of the local stack, which keeps every mail as a file. Sourced by up.sh and down.sh.

start_mail() {
    # Debian's own Python: another one first in the path would not find the package.
    /usr/bin/python3 -c 'import aiosmtpd' 2> /dev/null ||
        die "aiosmtpd is missing (Debian package python3-aiosmtpd): run infra/install.sh stack"
    if running mail > /dev/null; then return; fi
    mkdir -p "$stack/mail"
    launch mail "$stack/log/mail.log" /usr/bin/python3 "$here/mail_catcher.py" \
        --port "$(port_for mail)" --directory "$stack/mail" --control "$stack/mail.control"
    await mail "$stack/log/mail.log" 20 answers 127.0.0.1 "$(port_of mail)"
    say "SMTP listens on 127.0.0.1:$(port_of mail) and keeps mails in $stack/mail"
}

mail_environment() {
    cat <<END
export STOCKBRIDGE_TEST_SMTP_PORT=$(port_of mail)
export STOCKBRIDGE_TEST_SMTP_CONTROL=$stack/mail.control
export STOCKBRIDGE_TEST_MAIL_DIRECTORY=$stack/mail
END
}

stop_mail() { end mail TERM 10; }
