#!/usr/bin/env bash
# Machines of your own, without Docker: Ray as a service of each, in the environment that `make setup` made there.
#
#   digidouble templates cluster onpremise > node.sh
#   scp node.sh ~/.ray/auth_token MACHINE:                     # the same token for all
#   bash node.sh head                                          # on one machine
#   bash node.sh worker HEAD_IP                                # on each of the others
#   bash node.sh stop                                          # takes a machine out again
#
# Its ports are for the machines of the cluster alone: let a firewall keep all others out of them. The dashboard listens
# on the head's loopback; `ssh -L 8265:localhost:8265 HEAD` brings it to you.

set -euo pipefail

environment=${DIGIDOUBLE_ENV:-$HOME/digidouble/.venv}
token=${RAY_AUTH_TOKEN_PATH:-$HOME/.ray/auth_token}
port=${DIGIDOUBLE_RAY_PORT:-6379}
cache=${DIGIDOUBLE_KERNELS:-$HOME/.cache/digidouble-kernels}
unit=digidouble-ray

usage() {
  echo "usage: $0 head | worker HEAD_IP | stop" >&2
  exit 2
}

start() { # the words that follow are those of `ray start`
  [[ -x $environment/bin/ray ]] || { echo "$environment has no ray: make setup there, or set DIGIDOUBLE_ENV" >&2; exit 1; }
  [[ -s $token ]] || { echo "$token is missing: ray get-auth-token --generate on one machine, and copy it" >&2; exit 1; }
  chmod 600 "$token"
  mkdir -p "$cache" "$HOME/.config/systemd/user"
  cat >"$HOME/.config/systemd/user/$unit.service" <<UNIT
[Unit]
Description=Ray for Digidouble
After=network-online.target

[Service]
Environment=RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$token RAY_USAGE_STATS_ENABLED=0
Environment=CUDA_CACHE_PATH=$cache/cuda CUDA_CACHE_MAXSIZE=4294967296 OPTIX_CACHE_PATH=$cache/optix
Environment=PATH=$environment/bin:/usr/local/bin:/usr/bin:/bin
ExecStart=$environment/bin/ray start --block $*
Restart=always
RestartSec=5
KillMode=mixed
TimeoutStopSec=60
LimitNOFILE=65536

[Install]
WantedBy=default.target
UNIT
  systemctl --user daemon-reload
  systemctl --user enable "$unit"
  systemctl --user restart "$unit"
  loginctl enable-linger "$USER" # so that it runs while nobody is logged in
  systemctl --user --no-pager status "$unit"
}

case ${1:-} in
  head) start --head --port="$port" --dashboard-host=127.0.0.1 ;;
  worker) start --address="${2:?the head\'s address}:$port" ;;
  stop) systemctl --user disable --now "$unit" ;;
  *) usage ;;
esac
