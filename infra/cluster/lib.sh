# What the scripts of the cluster share. Sourced, in the repository's folder.

compose=(docker compose)
if [ -n "${ENV_FILE:-}" ]; then compose+=(--env-file "$ENV_FILE"); fi
project() { "${compose[@]}" config --format json | sed -n 's/^  "name": "\(.*\)",$/\1/p'; }
# One of the two databases' own tool. Usage: database SERVICE COMMAND...
database() {
    local service=$1
    shift
    "${compose[@]}" exec -T "$service" /bin/bash /etc/stockbridge/cluster/postgres-container.sh "$@"
}
