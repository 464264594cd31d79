#!/bin/bash
# healthy PORT: exit code 0 if the service in this container says on that port that it is ready.
exec 3<> "/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 3 status <&3 && [[ $status == HTTP/*" 200 "* ]]
