#!/usr/bin/env bash
# A run on SLURM: a Ray of the job's own over its nodes, one dataset, and everything gone at its end.
#
#   digidouble templates cluster slurm > run.sh                # change the #SBATCH lines
#   sbatch run.sh demo.yaml /shared/datasets/demo
#
# A job that is preempted, or that its time ends, goes on from what is committed when it is queued again.

#SBATCH --job-name=digidouble
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --time=12:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@120

set -euo pipefail

driver=
trap '[[ -z $driver ]] || kill -TERM "$driver" 2>/dev/null || true' TERM # SLURM's warning goes to the driver

recipe=${1:?the recipe}
root=${2:?the dataset: a folder that all nodes share, or s3://…}
environment=${DIGIDOUBLE_ENV:-$HOME/digidouble/.venv}
# shellcheck source=/dev/null
source "$environment/bin/activate"

# A token of this job alone, which srun hands to the nodes in their environment.
RAY_AUTH_TOKEN=$(python -c 'import secrets; print(secrets.token_hex(32))')
export RAY_AUTH_TOKEN RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${nodes[0]}
address=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname --ip-address | awk '{print $1}')
port=$((20000 + SLURM_JOB_ID % 20000)) # two jobs that share a node do not meet
cpus=${SLURM_CPUS_PER_TASK:-8}
gpus=${SLURM_GPUS_ON_NODE:-0}

srun --nodes=1 --ntasks=1 --nodelist="$head" \
  ray start --head --block --node-ip-address="$address" --port="$port" --include-dashboard=false \
  --num-cpus="$cpus" --num-gpus="$gpus" &
children=($!)
trap 'kill -TERM "${children[@]}" 2>/dev/null || true; wait' EXIT

for _ in $(seq 60); do
  ray health-check --address "$address:$port" >/dev/null 2>&1 && break
  sleep 2
done
ray health-check --address "$address:$port"

if ((${#nodes[@]} > 1)); then
  srun --nodes=$((${#nodes[@]} - 1)) --ntasks=$((${#nodes[@]} - 1)) --exclude="$head" \
    ray start --block --address="$address:$port" --num-cpus="$cpus" --num-gpus="$gpus" &
  children+=($!)
fi

# The driver runs beside the head, and ends cleanly when it is told to.
digidouble render "$recipe" --out "$root" --address "$address:$port" --workers "${#nodes[@]}" --progress jsonl &
driver=$!
code=0
wait "$driver" || code=$?
if ((code > 128)); then # a signal ended the wait, not the driver
  code=0
  wait "$driver" || code=$?
fi
exit "$code"
